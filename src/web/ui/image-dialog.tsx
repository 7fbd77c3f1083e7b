import { useSignal } from '@preact/signals'
import type { Media, Post } from '../../client/wire.ts'
import { session } from '../api/session.ts'
import { describeImage } from '../state/posts.ts'
import { showToast } from '../state/toasts.ts'
import { Modal } from './dialog.tsx'
import { EditActions, FormError, TextAreaField } from './field.tsx'
import { useForm } from './use-form.ts'

type Props = { post: Post; image: Media; onClose: () => void }

/** An image in full size. Its owner can change its description. */
export function ImageDialog({ post, image, onClose }: Props) {
  const editing = useSignal(false)
  const { url, alt, width, height } = image
  return (
    <Modal label={alt || 'Image'} onClose={onClose} wide>
      <img src={url} alt={alt} width={width} height={height} />
      {editing.value ? (
        <EditDescription post={post} image={image} onDone={() => (editing.value = false)} />
      ) : (
        <div class="caption">
          {alt && <p>{alt}</p>}
          {post.author.id === session.value?.id && (
            <button type="button" class="quiet" onClick={() => (editing.value = true)}>
              Edit description
            </button>
          )}
        </div>
      )}
    </Modal>
  )
}

function EditDescription({ post, image, onDone }: { post: Post; image: Media; onDone: () => void }) {
  const form = useForm(async ({ value }) => {
    await describeImage(post, image, value('alt'))
    showToast('Description saved')
    onDone()
  })
  return (
    <form class="stack caption" aria-label="Edit description" {...form.attributes}>
      <TextAreaField
        form={form}
        name="alt"
        label="Description for people who can’t see the image"
        value={image.alt}
        maxLength={1_500}
      />
      <FormError form={form} shown={['alt']} />
      <EditActions form={form} onCancel={onDone} />
    </form>
  )
}
