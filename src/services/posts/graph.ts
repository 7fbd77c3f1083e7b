import { linked, listed, type Noun } from '../../platform/graphql/noun.ts'
import { loadPosts, Post } from './views.ts'

export const postNoun: Noun = {
  name: 'Post',
  view: Post,
  read: 'getPost',
  load: loadPosts,
  relations: {
    comments: listed('listComments', (postId) => ({ postId }), 'The comments, oldest first'),
    likers: listed('listLikes', (postId) => ({ postId }), 'The accounts that like the post, newest like first'),
    parent: linked('Post', 'parentId', 'What the comment replies to; null if the viewer may not see it'),
    root: linked('Post', 'rootId', 'The post at the top of the thread; null if the viewer may not see it'),
  },
}
