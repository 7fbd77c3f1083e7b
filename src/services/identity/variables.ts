import { z } from '@hono/zod-openapi'
import { defineVariable } from '../../platform/config.ts'
import { ProviderList } from './providers/provider-list.ts'

const SITEVERIFY = 'https://challenges.cloudflare.com/turnstile/v0/siteverify'

export const turnstileSiteKey = defineVariable('TURNSTILE_SITE_KEY', z.string().min(1).max(100).optional())
export const turnstileSecret = defineVariable('TURNSTILE_SECRET', z.string().min(1).optional())
export const turnstileUrl = defineVariable('TURNSTILE_URL', z.url().default(SITEVERIFY))

export const registrationModes = ['open', 'invitation', 'approval', 'closed'] as const
export const registrationMode = defineVariable('REGISTRATION', z.enum(registrationModes).default('open'))
export const termsVersion = defineVariable('TERMS_VERSION', z.string().min(1).max(40).optional())
export const termsUrl = defineVariable('TERMS_URL', z.url().optional())

/** A range service like that of Have I Been Pwned; the start of a hash is appended. */
export const breachedPasswordsUrl = defineVariable(
  'BREACHED_PASSWORDS_URL',
  z
    .url()
    .transform((url) => (url.endsWith('/') ? url : `${url}/`))
    .optional(),
)

/** The identity providers with which people may log in. A secret, because it contains the secrets of the clients. */
export const loginProviders = defineVariable('OIDC_PROVIDERS', ProviderList)
