import type { Post } from '../../client/wire.ts'
import { onAccountChange } from '../api/session.ts'
import { clear, createList } from './list.ts'
import { storePost } from './posts.ts'

export const publicFeed = createList<Post>('/feeds/public', storePost)
onAccountChange(() => clear(publicFeed))
