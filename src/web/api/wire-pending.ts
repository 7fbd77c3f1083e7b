// The types of operations that the contract does not contain yet.

export type Identity = {
  handle: string
  email: string
  pendingEmail: string | null
  handleChangeableAt: string | null
  passwordChangedAt: string | null
}

export type HandleChange = { handle: string }
export type AddressChange = { email: string }
export type AddressToken = { token: string }

export type Export = {
  id: string
  status: 'preparing' | 'ready' | 'failed' | 'expired'
  createdAt: string
  expiresAt: string | null
  bytes: number | null
}

export type ExportList = { items: Export[] }

export type AuditEntry = {
  id: string
  at: string
  action: string
  device: string | null
  place: string | null
  address: string | null
}
