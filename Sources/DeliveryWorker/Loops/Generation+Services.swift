import DeliveryQueue
import RedeliverConfiguration
import ServiceLifecycle

/// The duties of a generation, each with the loop that it runs in.
extension Generation {
    /// One service per duty, and one per endpoint for polling. Nothing is settled or pruned before a log was read: it
    /// may show arrivals from before the start, and the provider's answer tells whether our clock is right.
    ///
    /// - Parameter watchesOperators: false in a simulation, which is the only writer of its file.
    func services(watchesOperators: Bool = true) -> [any Service] {
        var services: [any Service] = pollers.map { poller, bell in
            Duty { try await runPolling(poller, bell) }
        }
        services.append(Duty { try await dispatcher.run(in: loop(.dispatch, dispatcher.bell)) })
        services.append(
            Duty {
                await loop(.settle).run { _ in
                    guard await !vitals.endpointsPolled.isEmpty else { return configuration.confirm.interval }
                    if try await settler.runOnce(at: wallClock.now).unconfirmed > 0 { await dispatcher.bell.ring() }
                    return configuration.confirm.interval
                }
            })
        services.append(
            Duty {
                await loop(.prune).run { _ in
                    guard await mayPrune() else { return Pruner.patience }
                    _ = try await pruner.runOnce(at: pruningClock.now)
                    return Pruner.interval
                }
            })
        services.append(
            Duty {
                await loop(.credential, dispatcher.credentialBell).run { now in
                    if await keeper.runOnce(at: now) { await ringAll() }
                    return CredentialKeeper.interval
                }
            })
        if let address = configuration.metrics.listen {
            let listener = MetricsListener(
                address: address, textfile: configuration.metrics.textfile, vitals: vitals,
                endpoints: Dictionary(uniqueKeysWithValues: configuration.endpoints.map { ($0.id, $0.name) }),
                clock: clock, logger: dispatcher.logger)
            services.append(Duty { await listener.run() })
        }
        if watchesOperators { services.append(Duty { await watchOperators() }) }
        services.append(
            Duty {
                await loop(.metrics).run { now in
                    try await metrics.runOnce(at: now)
                    return configuration.metrics.interval
                }
                // What was asked for since the last page.
                try? await metrics.budget.count(in: metrics.store, at: dispatcher.wallClock.now)
            })
        return services
    }

    /// Looks for operators' actions after a write to the database, but not too often, because most writes are our own.
    /// It looks again a moment later: a commit triggers the watch when it is written, but is visible when it is synced.
    private func watchOperators() async {
        let bell = Bell()
        let file = FileWatch(path: configuration.database + "-wal") { Task { await bell.ring() } }
        var watch = OperatorWatch(store: dispatcher.store, gate: dispatcher.gate)
        // The loop has another bell: a failed commit of our own rings this one and would end the pause after an error.
        await loop(.operators).run { _ in
            // Armed before the look, so that no write between the two is missed.
            let isTold = file.arm()
            if try await watch.runOnce(at: wallClock.now) { await ringAll() }
            await cancelWhenGracefulShutdown { _ = try? await clock.sleep(for: OperatorWatch.interval) }
            if try await watch.runOnce(at: wallClock.now) { await ringAll() }
            if isTold { await bell.sleep(for: OperatorWatch.longestInterval, clock: clock) }
            return .zero
        }
    }
}
