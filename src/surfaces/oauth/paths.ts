/** The endpoints of the authorization server, below the origin. */
export const paths = {
  authorize: '/auth/oauth2/authorize',
  token: '/auth/oauth2/token',
  revoke: '/auth/oauth2/revoke',
  introspect: '/auth/oauth2/introspect',
  userinfo: '/auth/oauth2/userinfo',
  register: '/auth/oauth2/register',
  jwks: '/v1/auth/jwks',
} as const
