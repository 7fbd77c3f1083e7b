import { isNotFound } from '../api/errors.ts'
import { Link } from '../ui/link.tsx'
import { LoadError } from '../ui/loading.tsx'
import { View } from '../ui/view.tsx'

export function NotFound() {
  return (
    <View title="Page not found">
      <p class="card">
        This page doesn’t exist or is no longer available. <Link href="/">Go to the home page</Link>
      </p>
    </View>
  )
}

/** Replaces a view whose content could not be loaded. */
export function ErrorView({ title, error, retry }: { title: string; error: unknown; retry: () => Promise<unknown> }) {
  return isNotFound(error) ? <NotFound /> : <View title={title} children={<LoadError error={error} retry={retry} />} />
}
