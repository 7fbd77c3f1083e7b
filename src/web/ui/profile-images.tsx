import { useSignal } from '@preact/signals'
import { useRef } from 'preact/hooks'
import type { Account } from '../../client/wire.ts'
import { type ProfileImage, removeProfileImage, setProfileImage } from '../state/accounts.ts'
import { fileProblems, IMAGE_TYPES } from '../state/draft.ts'
import { reportError, showToast } from '../state/toasts.ts'

/** Buttons that change the avatar or the header image immediately, not only when the form is submitted. */
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
  const busy = useSignal(false)
  const change = async (work: () => Promise<void>, done: string) => {
    busy.value = true
    await work().then(() => showToast(done), reportError)
    busy.value = false
  }
  const upload = (file: File) => change(() => setProfileImage(place, file), `Your ${name} was changed`)
  const remove = () => change(() => removeProfileImage(account, place), `Your ${name} was removed`)
  return (
    <div class="actions">
      <FileButton label={`Change ${name}`} disabled={busy.value} onPick={(file) => void upload(file)} />
      {account[`${place}Url`] && (
        <button type="button" class="quiet" disabled={busy.value} onClick={() => void remove()}>
          Remove {name}
        </button>
      )}
    </div>
  )
}

function FileButton({ label, disabled, onPick }: { label: string; disabled: boolean; onPick: (file: File) => void }) {
  const input = useRef<HTMLInputElement>(null)
  const pick = (file: File | undefined) => {
    const [problem] = file ? fileProblems(file) : []
    if (problem) showToast(problem, true)
    else if (file) onPick(file)
  }
  return (
    <>
      <button type="button" class="secondary" disabled={disabled} onClick={() => input.current?.click()}>
        {label}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        accept={IMAGE_TYPES.join()}
        aria-label={label}
        onChange={({ currentTarget }) => {
          pick(currentTarget.files?.[0])
          currentTarget.value = ''
        }}
      />
    </>
  )
}
