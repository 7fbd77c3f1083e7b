// The first pattern that matches decides: many browsers also name those that they are compatible with.

const browsers: [RegExp, string][] = [
  [/\bEdg(e|A|iOS)?\//, 'Edge'],
  [/\b(OPR|OPiOS|OPT)\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\bVivaldi\//, 'Vivaldi'],
  [/\bDuckDuckGo\//, 'DuckDuckGo'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(Chrome|CriOS|Chromium)\//, 'Chrome'],
  [/\bVersion\/[\d.]+ .*Safari\//, 'Safari'],
]

const systems: [RegExp, string][] = [
  [/\biPhone\b|\biPod\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bMac ?OS ?X\b|\bMacintosh\b|\bDarwin\b/, 'macOS'],
  [/\bLinux\b|\bX11\b/, 'Linux'],
]

const MAX_PRODUCT = 40

/** A short name for people, such as `Firefox on Linux`; the name of the product if it is no browser. */
export function deviceNameOf(userAgent: string | null): string | null {
  if (!userAgent) return null
  const find = (table: [RegExp, string][]) => table.find(([pattern]) => pattern.test(userAgent))?.[1]
  const [, product] = /^([A-Za-z][\w .-]*?)(?:\/|\s*\(|$)/.exec(userAgent) ?? []
  const program = find(browsers) ?? (product === 'Mozilla' ? undefined : product?.trim().slice(0, MAX_PRODUCT))
  const system = find(systems)
  if (program && system) return `${program} on ${system}`
  return program ?? system ?? null
}
