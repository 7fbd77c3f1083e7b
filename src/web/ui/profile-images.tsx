import { useSignal } from '@preact/signals'
import { useRef } from 'preact/hooks'
import type { Account } from '../api/wire.ts'
import { type ProfileImage, removeProfileImage, setProfileImage } from '../state/accounts.ts'
import { fileProblems, IMAGE_TYPES } from '../state/draft.ts'
import { reportError, showToast } from '../state/toasts.ts'

/** Buttons that change the avatar and the header image at once, without the rest of the form. */
export function ProfileImages({ account }: { account: Account }) {
  return (
    <div class="profile-images">
      <ImageButtons account={account} place="avatar" name="avatar" />
      <ImageButtons account={account} place="header" name="header image" />
    </div>
  )
}

type Props = { account: Account; place: ProfileImage; name: string }

function ImageButtons({ account, place, name }: Props) {
  const input = useRef<HTMLInputElement>(null)
  const busy = useSignal(false)
  const change = async (work: () => Promise<void>, done: string) => {
    busy.value = true
    await work().then(() => showToast(done), reportError)
    busy.value = false
  }
  const pick = async (file: File | undefined) => {
    const [problem] = file ? fileProblems(file) : []
    if (problem) showToast(problem, true)
    else if (file) await change(() => setProfileImage(place, file), `Your ${name} was changed`)
  }
  return (
    <div class="actions">
      <button type="button" class="secondary" disabled={busy.value} onClick={() => input.current?.click()}>
        Change {name}
      </button>
      {account[`${place}Url`] && (
        <button
          type="button"
          class="quiet"
          disabled={busy.value}
          onClick={() => void change(() => removeProfileImage(account, place), `Your ${name} was removed`)}
        >
          Remove {name}
        </button>
      )}
      <input
        ref={input}
        type="file"
        hidden
        accept={IMAGE_TYPES.join()}
        aria-label={`Change ${name}`}
        onChange={({ currentTarget }) => {
          void pick(currentTarget.files?.[0])
          currentTarget.value = ''
        }}
      />
    </div>
  )
}
