import type { SystemCtx } from '../../platform/context.ts'
import { jwtAudience, jwtIssuer } from '../../platform/security/tokens.ts'
import { offeredScopes } from '../../services/apps/bundles.ts'
import { dynamicRegistration } from '../../services/apps/variables.ts'
import { paths } from './paths.ts'

const secretMethods = ['client_secret_basic', 'client_secret_post']

/** What clients need to know of the authorization server (RFC 8414, OpenID Connect Discovery). */
export function serverMetadata(ctx: SystemCtx): object {
  const at = (path: string) => `${ctx.config.BASE_URL}${path}`
  return {
    issuer: jwtIssuer(ctx),
    authorization_endpoint: at(paths.authorize),
    token_endpoint: at(paths.token),
    revocation_endpoint: at(paths.revoke),
    introspection_endpoint: at(paths.introspect),
    userinfo_endpoint: at(paths.userinfo),
    jwks_uri: at(paths.jwks),
    ...(dynamicRegistration(ctx) === 'on' && { registration_endpoint: at(paths.register) }),
    scopes_supported: offeredScopes,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_methods_supported: ['none', ...secretMethods],
    revocation_endpoint_auth_methods_supported: ['none', ...secretMethods],
    introspection_endpoint_auth_methods_supported: secretMethods,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['EdDSA'],
    claims_supported: ['sub', 'iss', 'aud', 'exp', 'iat', 'auth_time', 'nonce', 'at_hash', 'preferred_username'],
    prompt_values_supported: ['none', 'login', 'consent', 'select_account'],
    request_parameter_supported: false,
    request_uri_parameter_supported: false,
    service_documentation: at('/docs'),
  }
}

/** Which authorization server issues tokens for the API (RFC 9728). */
export function resourceMetadata(ctx: SystemCtx): object {
  return {
    resource: jwtAudience(ctx),
    authorization_servers: [jwtIssuer(ctx)],
    jwks_uri: `${ctx.config.BASE_URL}${paths.jwks}`,
    scopes_supported: offeredScopes,
    bearer_methods_supported: ['header'],
  }
}
