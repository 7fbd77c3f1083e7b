import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fetchInTime } from '../../scripts/fetch-in-time.ts'

/** A port that no process listens on at the moment. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as { port: number }
  probe.close()
  await once(probe, 'close')
  return port
}

/** A server in its own process group, so that one SIGKILL also ends wrangler and workerd. */
export class Server {
  readonly origin: string
  private readonly port: number
  private readonly stateDir: string
  private readonly variables: Record<string, string>
  private process: ChildProcess | null = null

  constructor(port: number, stateDir: string, variables: Record<string, string>) {
    this.port = port
    this.stateDir = stateDir
    this.variables = variables
    this.origin = `http://127.0.0.1:${port}`
  }

  /** Starts the server and waits until it responds. Throws with the server's output if it exits instead. */
  async start(): Promise<void> {
    const vars = Object.entries({ SHARED_CACHE: 'off', ...this.variables }).flatMap(([name, value]) => [
      '--var',
      `${name}:${value}`,
    ])
    const where = ['--port', String(this.port), '--persist-to', this.stateDir, ...vars]
    const child = spawn(process.execPath, ['scripts/start.ts', ...where], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const output: string[] = []
    child.stdout.on('data', (chunk) => output.push(String(chunk)))
    child.stderr.on('data', (chunk) => output.push(String(chunk)))
    this.process = child
    for (;;) {
      const answer = await fetchInTime(`${this.origin}/healthz`).catch(() => null)
      if (answer?.ok) return
      if (child.exitCode !== null) throw new Error(`The server exited:\n${output.join('').slice(-3_000)}`)
      await sleep(50)
    }
  }

  /** Sends SIGKILL to the process group, and waits until nothing responds at the port. */
  async kill(): Promise<void> {
    const child = this.process
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    process.kill(-child.pid, 'SIGKILL')
    await exited
    await this.closed()
  }

  /** Waits until nothing responds at the port: workerd may end later than the process that `kill` has awaited. */
  private async closed(): Promise<void> {
    while (
      await fetchInTime(`${this.origin}/healthz`).then(
        () => true,
        () => false,
      )
    )
      await sleep(20)
  }
}
