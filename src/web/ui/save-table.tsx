import { useSignal } from '@preact/signals'
import { reportError } from '../state/toasts.ts'
import { saveFile } from './save-file.ts'

type Props = { name: string; label?: string; read: () => Promise<unknown> }

/** Saves what `read` returns, the text of a table, as a CSV file. */
export function SaveTable({ name, label = 'Download as CSV', read }: Props) {
  const busy = useSignal(false)
  const save = async () => {
    busy.value = true
    await read()
      .then((text) => saveFile(new Blob([String(text)], { type: 'text/csv' }), `socialconnect-${name}.csv`))
      .catch(reportError)
    busy.value = false
  }
  return (
    <div class="actions save-table">
      <button type="button" class="secondary" disabled={busy.value} onClick={() => void save()}>
        {label}
      </button>
    </div>
  )
}
