import { isNotFound } from '../api/http.ts'
import { Link, View } from '../router.tsx'
import { Failed } from '../ui/list-view.tsx'

export function NotFound() {
  return (
    <View title="There is nothing here">
      <p class="card">
        Perhaps it was, once. <Link href="/">Go home</Link>
      </p>
    </View>
  )
}

/** In place of a view whose subject could not be read. Trying again helps unless there is none. */
export function FailedView({ title, error, again }: { title: string; error: unknown; again: () => Promise<unknown> }) {
  return isNotFound(error) ? <NotFound /> : <View title={title} children={<Failed error={error} again={again} />} />
}
