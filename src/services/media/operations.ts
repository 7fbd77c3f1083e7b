import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { type Operation, operation, responder } from '../../platform/http/operation.ts'
import { writeAccounts } from '../accounts/policy.ts'
import { Account } from '../accounts/views.ts'
import { readPosts } from '../posts/policy.ts'
import { serveMedia } from './delivery.ts'
import { deleteMedia, describeMedia, MediaChange, MediaUpload, uploadMedia } from './media.ts'
import { Variant } from './objects.ts'
import { writeMedia } from './policy.ts'
import { deleteAvatar, deleteHeader, ProfileImageUpload, setAvatar, setHeader } from './profile-images.ts'
import { SignedQuery } from './signatures.ts'
import { MediaView } from './views.ts'

const MediaPath = z.object({ mediaId: Id })

export const mediaOperations = [
  operation({
    id: 'uploadMedia',
    method: 'post',
    path: '/media',
    restOnly: 'It takes a file',
    access: 'user',
    scope: writeMedia,
    body: MediaUpload,
    bodyType: 'multipart/form-data',
    returns: MediaView,
    status: 201,
    idempotent: true,
    fails: ['not_found', 'idempotency_mismatch', 'quota_exceeded'],
    location: ({ id }) => `/media/${id}/image`,
    summary: 'Upload an image for a post; the metadata in the file is removed',
    run: uploadMedia,
  }),
  operation({
    id: 'describeMedia',
    method: 'patch',
    path: '/media/{mediaId}',
    access: 'user',
    scope: writeMedia,
    params: MediaPath,
    body: MediaChange,
    example: { alt: 'A lighthouse at dusk, its lamp just lit' },
    returns: MediaView,
    summary: 'Change the description of your image, also in the post that has it',
    run: describeMedia,
  }),
  operation({
    id: 'deleteMedia',
    method: 'delete',
    path: '/media/{mediaId}',
    access: 'user',
    scope: writeMedia,
    params: MediaPath,
    returns: null,
    summary: 'Delete an image that is not attached to a post',
    run: deleteMedia,
  }),
  operation({
    id: 'setAvatar',
    method: 'put',
    path: '/accounts/me/avatar',
    restOnly: 'It takes a file',
    access: 'user',
    scope: writeAccounts,
    body: ProfileImageUpload,
    bodyType: 'multipart/form-data',
    returns: Account,
    summary: 'Replace your avatar; the image is cropped to a square',
    fails: ['quota_exceeded'],
    run: setAvatar,
  }),
  operation({
    id: 'deleteAvatar',
    method: 'delete',
    path: '/accounts/me/avatar',
    access: 'user',
    scope: writeAccounts,
    returns: null,
    summary: 'Delete your avatar; if you have none, nothing changes',
    run: deleteAvatar,
  }),
  operation({
    id: 'setHeader',
    method: 'put',
    path: '/accounts/me/header',
    restOnly: 'It takes a file',
    access: 'user',
    scope: writeAccounts,
    body: ProfileImageUpload,
    bodyType: 'multipart/form-data',
    returns: Account,
    summary: 'Replace the header image of your profile; the image is cropped to three times its height',
    fails: ['quota_exceeded'],
    run: setHeader,
  }),
  operation({
    id: 'deleteHeader',
    method: 'delete',
    path: '/accounts/me/header',
    access: 'user',
    scope: writeAccounts,
    returns: null,
    summary: 'Delete the header image of your profile; if you have none, nothing changes',
    run: deleteHeader,
  }),
  responder({
    id: 'getMedia',
    method: 'get',
    path: '/media/{mediaId}/{variant}',
    restOnly: 'It returns bytes',
    access: 'public',
    scope: readPosts,
    params: MediaPath.extend({ variant: Variant }),
    query: SignedQuery,
    mediaTypes: ['image/webp', 'image/png', 'image/gif'],
    also: { 206: 'The requested range', 304: 'The client’s copy is current' },
    headers: {
      ETag: 'Names the bytes of the image; send it as `If-None-Match` or `If-Range`',
      'Accept-Ranges': '`bytes`',
      'Content-Disposition': '`inline`',
    },
    fails: ['range_not_satisfiable'],
    summary: 'Read an image or its thumbnail',
    respond: serveMedia,
  }),
] satisfies Operation[]
