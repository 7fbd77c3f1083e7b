import { useId } from 'preact/hooks'
import { type Attachment, type Draft, removeImage } from '../state/draft.ts'
import { Icon } from './icons.tsx'

export function Attachments({ draft }: { draft: Draft }) {
  if (draft.attachments.value.length === 0) return null
  return (
    <ul class="attachments" aria-label="Images">
      {draft.attachments.value.map((attachment, index) => (
        <li key={attachment.key} class="attachment">
          <img src={attachment.preview} alt="" />
          <Description attachment={attachment} number={index + 1} />
          <RemoveButton
            number={index + 1}
            disabled={attachment.progress.value !== null}
            onRemove={() => removeImage(draft, attachment)}
          />
        </li>
      ))}
    </ul>
  )
}

function Description({ attachment: { alt, progress }, number }: { attachment: Attachment; number: number }) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>Describe image {number} for people who can’t see it</label>
      <input
        id={id}
        maxLength={1_500}
        value={alt.value}
        readOnly={progress.value !== null}
        placeholder="A lighthouse in the evening sun"
        onInput={({ currentTarget }) => {
          alt.value = currentTarget.value
        }}
      />
      {progress.value !== null && <progress max={1} value={progress.value} aria-label={`Uploading image ${number}`} />}
    </div>
  )
}

type RemoveProps = { number: number; disabled: boolean; onRemove: () => void }

function RemoveButton({ number, disabled, onRemove }: RemoveProps) {
  const remove = ({ currentTarget }: { currentTarget: Element }) => {
    // The button disappears with the image, so the focus moves to the text first.
    currentTarget.closest('form')?.querySelector('textarea')?.focus()
    onRemove()
  }
  return (
    <button
      type="button"
      class="quiet round"
      aria-label={`Remove image ${number}`}
      disabled={disabled}
      onClick={remove}
    >
      <Icon name="close" />
    </button>
  )
}
