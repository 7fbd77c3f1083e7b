import { useRef } from 'preact/hooks'
import { type Draft, IMAGE_TYPES } from '../state/draft.ts'
import { Icon } from './icons.tsx'

const WARN_BELOW = 50

export function PickImages({ full, onPick }: { full: boolean; onPick: (files: File[]) => void }) {
  const input = useRef<HTMLInputElement>(null)
  return (
    <>
      <button type="button" class="quiet tool" disabled={full} onClick={() => input.current?.click()}>
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

export function VisibilityChoice({ draft }: { draft: Draft }) {
  const { value } = draft.visibility
  return (
    <label class="tool choice">
      <Icon name={value === 'public' ? 'globe' : 'lock'} />
      <span class="unseen">Who can see it</span>
      <select
        value={value}
        onChange={({ currentTarget }) => {
          draft.visibility.value = currentTarget.value === 'followers' ? 'followers' : 'public'
        }}
      >
        <option value="public">Everyone</option>
        <option value="followers">Followers</option>
      </select>
    </label>
  )
}

/** Shows how much may still be written; says so only when it gets tight, or every key would be talked over. */
export function Counter({ id, left, of }: { id: string; left: number; of: number }) {
  const state = left < 0 ? 'over' : left < WARN_BELOW ? 'tight' : ''
  return (
    <span class={`counter ${state}`}>
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <circle cx="12" cy="12" r="9.5" pathLength={1} />
        <circle cx="12" cy="12" r="9.5" pathLength={1} stroke-dasharray={`${Math.min(1, 1 - left / of)} 1`} />
      </svg>
      <span aria-hidden="true">{left}</span>
      <span id={id} class="unseen">
        {left} characters left
      </span>
      <span class="unseen" role="status">
        {state === 'over'
          ? `${-left} characters too many`
          : left <= WARN_BELOW && left % 10 === 0
            ? `${left} characters left`
            : ''}
      </span>
    </span>
  )
}
