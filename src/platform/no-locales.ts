// Stands in for zod's locales in the bundle (wrangler.toml [alias]): errors are answered in our own words.
export {}
