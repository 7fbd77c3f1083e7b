import { onAccountChange } from '../api/session.ts'
import type { Post } from '../api/wire.ts'
import { clear, createList } from './list.ts'
import { storePost } from './posts.ts'

export const publicFeed = createList<Post>('/feeds/public', storePost)
onAccountChange(() => clear(publicFeed))
