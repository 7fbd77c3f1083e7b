import { useId } from 'preact/hooks'
import { type Attachment, type Draft, detach } from '../state/draft.ts'
import { Icon } from './icons.tsx'

/** The images of a draft, each with its description and, once it is sent, how far it has come. */
export function Attachments({ draft }: { draft: Draft }) {
  if (draft.attachments.value.length === 0) return null
  return (
    <ul class="attachments" aria-label="Images">
      {draft.attachments.value.map((attachment, index) => (
        <li key={attachment.key}>
          <Editor attachment={attachment} number={index + 1} onRemove={() => detach(draft, attachment)} />
        </li>
      ))}
    </ul>
  )
}

function Editor({ attachment, number, onRemove }: { attachment: Attachment; number: number; onRemove: () => void }) {
  const id = useId()
  const progress = attachment.progress.value
  const remove = ({ currentTarget }: { currentTarget: Element }) => {
    currentTarget.closest('form')?.querySelector('textarea')?.focus()
    onRemove()
  }
  return (
    <div class="attachment">
      <img src={attachment.preview} alt="" />
      <div class="field">
        <label for={id}>Describe image {number} for people who cannot see it</label>
        <input
          id={id}
          maxLength={1_500}
          value={attachment.alt.value}
          readOnly={progress !== null}
          placeholder="A lighthouse in the evening sun"
          onInput={({ currentTarget }) => {
            attachment.alt.value = currentTarget.value
          }}
        />
        {progress !== null && <progress max={1} value={progress} aria-label={`Sending image ${number}`} />}
      </div>
      <button
        type="button"
        class="quiet round"
        aria-label={`Remove image ${number}`}
        disabled={progress !== null}
        onClick={remove}
      >
        <Icon name="close" />
      </button>
    </div>
  )
}
