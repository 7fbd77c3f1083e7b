import type { Post } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { onAccountChange } from '../api/session.ts'
import { clear, createList } from './list.ts'
import { storePost } from './posts.ts'

export const publicFeed = createList<Post>(client.getPublicFeed, storePost)
onAccountChange(() => clear(publicFeed))
