const isLocal = ['127.0.0.1', 'localhost'].includes(window.location.hostname)

export function LocalInboxHint() {
  if (!isLocal) return null
  return (
    <p>
      Your local server sends no email:{' '}
      <a href="/cdn-cgi/local/explorer/email/sending" target="_blank" rel="noreferrer">
        read it in the local inbox
      </a>
      .
    </p>
  )
}
