import { showToast } from '../state/toasts.ts'
import { saveFile } from '../ui/save-file.ts'

/** Called after a change of the second factors, with the codes that it made. */
export type OnCodes = (codes: string[] | null) => Promise<void>

/** Shows new codes, once. */
export function RecoveryCodes({ codes, onDone }: { codes: string[]; onDone: () => void }) {
  const text = codes.join('\n')
  const copy = async () => {
    await navigator.clipboard.writeText(text)
    showToast('Recovery codes copied')
  }
  const download = () => saveFile(new Blob([`${text}\n`], { type: 'text/plain' }), 'recovery-codes.txt')
  return (
    <div class="notice recovery-codes" role="status">
      <h3>Keep these recovery codes</h3>
      <p>Each of them logs you in once if you lose your second factor. They are not shown again.</p>
      <ul>
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <div class="actions">
        <button type="button" class="secondary" onClick={() => void copy()}>
          Copy
        </button>
        <button type="button" class="secondary" onClick={download}>
          Download
        </button>
        <button type="button" class="secondary" onClick={() => window.print()}>
          Print
        </button>
        <button type="button" onClick={onDone}>
          I kept them
        </button>
      </div>
    </div>
  )
}
