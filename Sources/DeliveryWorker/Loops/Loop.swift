import DeliveryQueue
import Logging
import ServiceLifecycle

/// The only endless loop: a turn, a sleep until the next turn, growing pauses after errors, a graceful stop.
///
/// A turn that throws is logged and tried again; it never ends the program. When a graceful shutdown begins the loop
/// ends after the present turn.
struct Loop: Sendable {
    /// The loop's name in logs and in the metric `redeliver_last_loop_timestamp_seconds`.
    let name: String
    let bell: Bell
    let clock: any Clock<Duration>
    let wallClock: WallClock
    let vitals: Vitals
    /// A turn that takes longer counts as hanging.
    var patience = Duration.seconds(900)
    let logger: Logger

    /// The pauses after the first, second, … error in a row; the last one repeats.
    static let errorPauses: [Duration] = [
        .seconds(1), .seconds(2), .seconds(5), .seconds(15), .seconds(30), .seconds(60),
    ]

    /// - Parameter turn: does the work of one turn and returns the longest sleep before the next.
    func run(_ turn: (Timestamp) async throws -> Duration) async {
        let number = await vitals.began(name, patience: patience)
        await runTurns(number, turn)
        await vitals.ended(number)
    }

    private func runTurns(_ number: Int, _ turn: (Timestamp) async throws -> Duration) async {
        var errors = 0
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            do {
                let now = wallClock.now
                let pause = try await turn(now)
                await vitals.turned(number, begun: now, nextIn: pause + patience)
                errors = 0
                await bell.sleep(for: pause, clock: clock)
            } catch {
                guard !Task.isCancelled else { return }
                let pause = Self.errorPauses[min(errors, Self.errorPauses.count - 1)]
                errors += 1
                logger.error(
                    "turn failed", metadata: ["loop": "\(name)", "error": "\(error)", "next.in": "\(pause)"])
                await vitals.turned(number, begun: nil, nextIn: pause + patience)
                await bell.sleep(for: pause, clock: clock)
            }
        }
    }
}
