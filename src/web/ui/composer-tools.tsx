import { useRef } from 'preact/hooks'
import { type Draft, IMAGE_TYPES } from '../state/draft.ts'
import { limits } from '../state/limits.ts'
import { Icon } from './icons.tsx'

const WARN_BELOW = 50

export function ImagePicker({ draft, onPick }: { draft: Draft; onPick: (files: File[]) => void }) {
  const input = useRef<HTMLInputElement>(null)
  const isFull = draft.attachments.value.length >= limits.value.postImages
  return (
    <>
      <button type="button" class="quiet tool" disabled={isFull} onClick={() => input.current?.click()}>
        <Icon name="image" />
        <span>Add images</span>
      </button>
      <input
        ref={input}
        type="file"
        hidden
        multiple
        accept={IMAGE_TYPES.join()}
        aria-label="Add images"
        onChange={({ currentTarget }) => {
          onPick([...(currentTarget.files ?? [])])
          currentTarget.value = ''
        }}
      />
    </>
  )
}

export function VisibilitySelect({ draft: { visibility } }: { draft: Draft }) {
  return (
    <label class="tool choice">
      <Icon name={visibility.value === 'public' ? 'globe' : 'lock'} />
      <span class="visually-hidden">Who can see this</span>
      <select
        value={visibility.value}
        onChange={({ currentTarget }) => {
          visibility.value = currentTarget.value === 'followers' ? 'followers' : 'public'
        }}
      >
        <option value="public">Everyone</option>
        <option value="followers">Followers</option>
      </select>
    </label>
  )
}

/** The number of characters left. Screen readers announce it only near the limit, not after every key. */
export function CharacterCounter({ id, left }: { id: string; left: number }) {
  const state = left < 0 ? 'over' : left < WARN_BELOW ? 'tight' : ''
  const used = Math.min(1, 1 - left / limits.value.postLength)
  return (
    <span class={`counter ${state}`}>
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <circle cx="12" cy="12" r="9.5" pathLength={1} />
        <circle cx="12" cy="12" r="9.5" pathLength={1} stroke-dasharray={`${used} 1`} />
      </svg>
      <span aria-hidden="true">{left}</span>
      <span id={id} class="visually-hidden">
        {left} characters left
      </span>
      <span class="visually-hidden" role="status">
        {counterAnnouncement(left)}
      </span>
    </span>
  )
}

function counterAnnouncement(left: number): string {
  if (left < 0) return `${-left} characters over the limit`
  return left <= WARN_BELOW && left % 10 === 0 ? `${left} characters left` : ''
}
