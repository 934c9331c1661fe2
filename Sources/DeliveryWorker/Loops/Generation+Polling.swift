import DeliveryQueue
import Logging
import ProviderAPI
import RedeliverConfiguration

/// When each log is read, and for what.
extension Generation {
    /// Polls every endpoint once.
    ///
    /// - Returns: the ids of those whose log could not be read.
    package func readLogs() async -> Set<String> {
        Set(await poll(pollers.map(\.poller)).map(\.endpointID))
    }

    /// Polls every `poll.interval`, or when the overlap is to be read again; every `confirm.interval` while an outcome
    /// or the receiver's return should show in the log; more often during a trial or at the beginning of a drain; and
    /// in an outage when the gate wants a log read. A ring only makes the loop look which of these applies.
    func runPolling(_ poller: LogPoller, _ bell: Bell) async throws {
        var pace = PollPace(configuration.poll)
        var isPauseNoted = false
        await loop(.poll, bell).run { now in
            if await poller.shortage(at: now) != nil { return DiskRoom.pause }
            let untilDeep = await coverage.untilDeepLook(poller.endpoint.id)
            var (isOutage, isWanted) = (false, false)
            switch await turn(of: poller, at: now) {
            case .later(let wait):
                if !isPauseNoted { isPauseNoted = try await poller.notePause(at: now) }
                return wait
            case .probe: isOutage = true
            case .usual:
                isWanted = await coverage.wantsLook(poller.endpoint.id)
                let interval = isWanted ? PollPace.lookInterval : try await interval(of: poller, at: now)
                let wait = pace.wait(interval, untilDeep: untilDeep, at: now)
                if wait > .zero { return wait }
            }
            isPauseNoted = false
            let summary =
                try await isOutage
                ? probe(with: poller, at: now) : look(with: poller, for: isWanted ? .look : nil, at: now)
            pace.polled(at: summary.isUnfinished ? nil : now, untilDeep: untilDeep)
            if summary.changedSomething { await dispatcher.bell.ring() }
            if summary.isUnfinished { return .zero }
            let interval = try await interval(of: poller, at: now)
            return pace.rest(interval, untilDeep: await coverage.untilDeepLook(poller.endpoint.id))
        }
    }

    private enum PollTurn {
        /// Not now; ask the gate again after this time.
        case later(Duration)
        /// At the configured pace.
        case usual
        /// Now, to find out whether an outage is over.
        case probe
    }

    private func turn(of poller: LogPoller, at now: Timestamp) async -> PollTurn {
        let readers = pollers.count
        return await poller.gate.with { gate in
            if let wait = gate.pauseOfRead(by: poller.endpoint.id, of: readers, at: now) { return .later(wait) }
            return gate.closed == .outage ? .probe : .usual
        }
    }

    /// A turn in an outage. When it ends the outage all loops go on, even if this log could not be read to its end.
    private func probe(with poller: LogPoller, at now: Timestamp) async throws -> PollSummary {
        let result: Result<PollSummary, any Error>
        do {
            result = .success(try await look(with: poller, at: now))
        } catch {
            result = .failure(error)
        }
        if await poller.gate.gate.closed == nil { await ringAll() }
        return try result.get()
    }

    /// One polling turn.
    ///
    /// - Parameter wanted: why the log is read; nil: by the state of its deliveries.
    private func look(
        with poller: LogPoller, for wanted: PagePurpose? = nil, at now: Timestamp
    ) async throws -> PollSummary {
        let isAwaited = try await poller.store.pollUrgency(of: poller.endpoint.id, at: now) != .routine
        let purpose = wanted ?? (isAwaited ? .confirm : .new)
        let summary: PollSummary
        do {
            summary = try await poller.runOnce(at: now, for: purpose)
        } catch is ClockPutBack {
            summary = try await poller.runOnce(at: wallClock.now, for: purpose)
        } catch let error as ProviderError where error.kind == .forbidden {
            // Where no log may be read any more, one more look tells soon whether that lasts.
            await dispatcher.credentialBell.ring()
            throw error
        }
        if !summary.isUnfinished, summary.pages > 0 { await vitals.polled(poller.endpoint.id) }
        return summary
    }

    /// So many turns in a row read one log, within a turn that does all there is to do: a quarter of an hour.
    private static let mostTurns = 20

    /// Reads a log to its end, as far as it can be read.
    private func readWhole(with poller: LogPoller, for purpose: PagePurpose?) async throws {
        for _ in 0..<Self.mostTurns {
            let summary = try await look(with: poller, for: purpose, at: wallClock.now)
            guard summary.isUnfinished || summary.hasRest, summary.trouble == nil else { return }
        }
    }

    /// Looks at an endpoint's log, within a turn that does all there is to do.
    func look(at endpointID: String) async {
        _ = await poll(pollers.map(\.poller).filter { $0.endpoint.id == endpointID }, for: .look)
    }

    private func interval(of poller: LogPoller, at now: Timestamp) async throws -> Duration {
        let soon = min(configuration.confirm.interval, configuration.poll.interval)
        return switch try await poller.store.pollUrgency(of: poller.endpoint.id, at: now) {
        case .routine: configuration.poll.interval
        case .soon: soon
        case .atOnce: min(soon, PollPace.closeInterval)
        }
    }

    /// The pollers of endpoints whose log should show an outcome.
    func awaitingPollers() async throws -> [LogPoller] {
        var awaiting: [LogPoller] = []
        for (poller, _) in pollers
        where try await poller.store.pollUrgency(of: poller.endpoint.id, at: wallClock.now) != .routine {
            awaiting.append(poller)
        }
        return awaiting
    }

    /// - Returns: an error for each log that could not be read. Each is logged and stored.
    func poll(
        _ pollers: [LogPoller], for purpose: PagePurpose? = nil
    ) async -> [(endpointID: String, error: any Error)] {
        var failed: [(endpointID: String, error: any Error)] = []
        for poller in pollers {
            do {
                try await readWhole(with: poller, for: purpose)
            } catch {
                failed.append((poller.endpoint.id, error))
                logger.error(
                    "log not read", metadata: ["endpoint": "\(poller.endpoint.name)", "error": "\(error)"])
            }
        }
        return failed
    }
}
