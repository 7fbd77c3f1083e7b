import { client } from '../api/client.ts'
import { onAccountChange, session } from '../api/session.ts'

const WORKER = '/push-worker.js'

export const canPush = () => 'serviceWorker' in navigator && 'PushManager' in window

/** Whether this browser gets pushes of some account. */
export async function isSubscribed(): Promise<boolean> {
  return canPush() && (await subscription()) !== null
}

/** Asks for permission. Returns false if the person or the server does not allow pushes. */
export async function subscribe(): Promise<boolean> {
  const { key } = await client.readPushKey()
  if (key === null || (await Notification.requestPermission()) !== 'granted') return false
  const registration = await navigator.serviceWorker.register(WORKER)
  await navigator.serviceWorker.ready
  const made = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key })
  await store(made)
  return true
}

/** After all tokens were revoked: pushes end with the token that subscribed. */
export async function subscribeAgain(): Promise<void> {
  const known = canPush() ? await subscription() : null
  if (known) await store(known)
}

async function store(made: PushSubscription): Promise<void> {
  const { endpoint, keys } = made.toJSON()
  await client.createPushSubscription({
    endpoint: endpoint ?? '',
    keys: { p256dh: keys?.p256dh ?? '', auth: keys?.auth ?? '' },
  })
}

/** The push service then refuses pushes to this browser, and the server forgets it. */
export async function unsubscribe(): Promise<void> {
  await (await subscription())?.unsubscribe()
}

async function subscription(): Promise<PushSubscription | null> {
  const registration = await navigator.serviceWorker.getRegistration(WORKER)
  return (await registration?.pushManager.getSubscription()) ?? null
}

// The next person at this browser must not get the pushes of the one who has logged out.
onAccountChange(() => {
  if (session.value && canPush()) unsubscribe().catch(() => {})
})
