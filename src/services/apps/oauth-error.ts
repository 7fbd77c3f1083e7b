type Code =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'invalid_scope'
  | 'invalid_target'
  | 'invalid_redirect_uri'
  | 'invalid_client_metadata'

/** An error of the token endpoint and its relatives (RFC 6749, 5.2). The surface turns it into a response. */
export class OAuthError extends Error {
  constructor(
    readonly code: Code,
    readonly description: string,
  ) {
    super(description)
  }
}
