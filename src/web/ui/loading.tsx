import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { errorText } from '../api/error-text.ts'

/** Runs `load` when a view opens. Returns its error and a function that tries again. */
export function useLoad(load: () => Promise<unknown>) {
  const error = useSignal<unknown>(null)
  const retry = async () => {
    error.value = null
    await load().catch((failure: unknown) => {
      error.value = failure
    })
  }
  useEffect(() => void retry(), [])
  return { error, retry }
}

/** Loads data when a view opens. Returns them, the last error, and a function that loads them again. */
export function useData<T>(fetchData: () => Promise<T>) {
  const data = useSignal<T | null>(null)
  const { error, retry: load } = useLoad(async () => {
    data.value = await fetchData()
  })
  return { data, error, load }
}

export function Loading() {
  return (
    <div class="loading" role="status">
      <span class="visually-hidden">Loading…</span>
    </div>
  )
}

export function LoadError({ error, retry }: { error: unknown; retry: () => Promise<unknown> }) {
  return (
    <div class="failed" role="alert">
      <p>{errorText(error)}</p>
      <button type="button" class="secondary" onClick={() => void retry()}>
        Try again
      </button>
    </div>
  )
}
