// The service worker: shows pushes in browsers that do not show declarative ones by themselves. It caches nothing.

type Push = { notification: { title: string; body?: string; tag: string; navigate: string } }
type Lasting = { waitUntil: (work: Promise<unknown>) => void }
type PushEvent = Event & Lasting & { data: { json: () => Push } | null }
type ClickEvent = Event & Lasting & { notification: Notification }
type PushWorker = EventTarget & {
  registration: ServiceWorkerRegistration
  clients: { openWindow: (url: string) => Promise<unknown> }
}

const worker = self as unknown as PushWorker

worker.addEventListener('push', (event) => {
  const { data, waitUntil } = bound(event as PushEvent)
  const push = data?.json().notification
  if (!push) return
  const { title, body, tag, navigate } = push
  waitUntil(worker.registration.showNotification(title, { body, tag, data: navigate, icon: '/icon.svg' }))
})

worker.addEventListener('notificationclick', (event) => {
  const { notification, waitUntil } = clicked(event as ClickEvent)
  notification.close()
  waitUntil(worker.clients.openWindow(String(notification.data)))
})

const bound = (event: PushEvent) => ({ data: event.data, waitUntil: event.waitUntil.bind(event) })
const clicked = (event: ClickEvent) => ({ notification: event.notification, waitUntil: event.waitUntil.bind(event) })
