export type Page<T> = { items: T[]; nextCursor: string | null; previousCursor: string | null }

export type Tokens = {
  accessToken: string
  refreshToken: string
  tokenType: string
  expiresIn: number
  account: { id: string; handle: string }
}

export type Profile = { id: string; handle: string; displayName: string }

export type Account = Profile & {
  bio: string
  createdAt: string
  followerCount: number
  followingCount: number
  postCount: number
  relation: { following: boolean; followedBy: boolean; blocking: boolean } | null
}

/** An account that one blocks; null where it is hidden. */
export type Block = { id: string; account: Profile | null }

/** A stretch of a post's text; offsets are UTF-16 code units. */
export type Entity = { start: number; end: number } & (
  | { kind: 'mention'; accountId: string; handle: string }
  | { kind: 'hashtag'; tag: string }
  | { kind: 'link'; url: string }
)

export type Media = {
  id: string
  url: string
  thumbnailUrl: string
  alt: string
  width: number
  height: number
  placeholder: string
}

export type Limits = { postLength: number; postImages: number }

export type Visibility = 'public' | 'followers'

export type Post = {
  id: string
  author: Profile
  text: string
  entities: Entity[]
  visibility: Visibility
  media: Media[]
  rootId: string | null
  parentId: string | null
  createdAt: string
  likeCount: number
  commentCount: number
  liked: boolean
}

export type Notification = {
  id: string
  kind: 'follow' | 'like' | 'comment' | 'mention'
  actor: Profile
  post: Post | null
  createdAt: string
  unread: boolean
}
