import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { PageQuery } from '../../platform/data/page.ts'
import { type Operation, operation } from '../../platform/http/operation.ts'
import { SHARED_SECONDS } from '../../platform/http/shared-answers.ts'
import { AccountPage } from '../accounts/views.ts'
import { listComments, listMyComments } from './comments.ts'
import { editPost, PostChange } from './edits.ts'
import { LikePage, likePost, listLikes, listMyLikes, unlikePost } from './likes.ts'
import { editPosts, publishPosts, readPosts, writePosts } from './policy.ts'
import { getLimits, Limits } from './post-limits.ts'
import { createPost, deletePost, getPost, PostCreation } from './posts.ts'
import { CommentPage, Post, PostPage } from './views.ts'

const PostPath = z.object({ postId: Id })

export const postOperations = [
  operation({
    id: 'createPost',
    method: 'post',
    path: '/posts',
    access: 'user',
    action: publishPosts,
    scope: writePosts,
    body: PostCreation,
    example: { text: 'Good morning, @grace! #engines', visibility: 'followers' },
    returns: Post,
    status: 201,
    idempotent: true,
    fails: ['not_found', 'forbidden', 'idempotency_mismatch', 'quota_exceeded'],
    location: ({ id }) => `/posts/${id}`,
    summary: 'Publish a post or a comment',
    run: createPost,
  }),
  operation({
    id: 'getPost',
    method: 'get',
    path: '/posts/{postId}',
    access: 'public',
    shared: SHARED_SECONDS,
    scope: readPosts,
    params: PostPath,
    returns: Post,
    summary: 'Read a post',
    run: getPost,
  }),
  operation({
    id: 'editPost',
    method: 'patch',
    path: '/posts/{postId}',
    access: 'user',
    action: editPosts,
    scope: writePosts,
    params: PostPath,
    body: PostChange,
    example: { text: 'Good evening, @grace! #engines' },
    returns: Post,
    fails: ['forbidden', 'fresh_login_required', 'insufficient_scope', 'conflict', 'quota_exceeded'],
    summary: 'Edit the text of your own post',
    description:
      'Others need the permission or a grant `posts:edit`, the scope `moderation` and a fresh login: see `confirmLogin`. ' +
      'They can mention nobody new. The author, the images and the visibility stay. Whom the text mentions since the ' +
      'edit is notified; such an edit counts as a post of the day.',
    run: editPost,
  }),
  operation({
    id: 'deletePost',
    method: 'delete',
    path: '/posts/{postId}',
    access: 'user',
    scope: writePosts,
    params: PostPath,
    returns: null,
    fails: ['forbidden'],
    summary: 'Delete your own post',
    run: deletePost,
  }),
  operation({
    id: 'likePost',
    method: 'put',
    path: '/posts/{postId}/like',
    access: 'user',
    scope: writePosts,
    params: PostPath,
    returns: Post,
    summary: 'Like a post; repeating it changes nothing',
    run: likePost,
  }),
  operation({
    id: 'unlikePost',
    method: 'delete',
    path: '/posts/{postId}/like',
    access: 'user',
    scope: writePosts,
    params: PostPath,
    returns: null,
    summary: 'Remove your like, whether or not you may still see the post',
    run: unlikePost,
  }),
  operation({
    id: 'listLikes',
    method: 'get',
    path: '/posts/{postId}/likes',
    access: 'public',
    scope: readPosts,
    params: PostPath,
    query: PageQuery,
    returns: AccountPage,
    summary: 'List the accounts that like a post, newest like first',
    run: listLikes,
  }),
  operation({
    id: 'listMyLikes',
    method: 'get',
    path: '/me/likes',
    access: 'user',
    scope: readPosts,
    query: PageQuery,
    returns: LikePage,
    summary: 'List the posts that you like, newest like first',
    description: 'It includes posts that you may no longer see, so that you can remove your like.',
    run: listMyLikes,
  }),
  operation({
    id: 'listComments',
    method: 'get',
    path: '/posts/{postId}/comments',
    access: 'public',
    scope: readPosts,
    params: PostPath,
    query: PageQuery,
    returns: CommentPage,
    summary: 'List the comments on a post, oldest first',
    run: listComments,
  }),
  operation({
    id: 'listMyComments',
    method: 'get',
    path: '/me/comments',
    access: 'user',
    scope: readPosts,
    query: PageQuery,
    returns: PostPage,
    summary: 'List all comments that you wrote, newest first',
    run: listMyComments,
  }),
  operation({
    id: 'getLimits',
    method: 'get',
    path: '/limits',
    access: 'public',
    returns: Limits,
    summary: 'Read the limits that apply to posts and images',
    run: getLimits,
  }),
] satisfies Operation[]
