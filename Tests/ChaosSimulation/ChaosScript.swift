import DeliveryQueue
import DeliverySimulation
import DeliveryWorker
import Foundation
import Logging
import RedeliverConfiguration

/// Plays a plan: starts the worker, does at each moment what the plan says, and starts the worker again when it died.
struct ChaosScript: Sendable {
    /// Why a life ended.
    private enum Ending: Sendable {
        case killed(pause: Duration)
        case stopped(pause: Duration)
        case over
    }

    let plan: ChaosPlan
    let world: ChaosWorld
    let time: VirtualTime
    let folder: String
    private var invariants: ChaosInvariants
    private var nextStep = 0
    private var variant = 0
    private var database = "life-0.db"
    private var starts = 0

    init(plan: ChaosPlan, world: ChaosWorld, time: VirtualTime, folder: String) {
        self.plan = plan
        self.world = world
        self.time = time
        self.folder = folder
        invariants = ChaosInvariants(plan)
    }

    private var wallClock: WallClock {
        WallClock { [plan, time] in ChaosTruth.beginning + time.now + plan.clockOffset(at: time.now) }
    }

    /// - Throws: `ChaosViolation`, or an unexpected error.
    mutating func play() async throws {
        while true {
            switch try await live() {
            case .killed(let pause):
                world.withTruth { $0.kills += 1 }
                note("killed as job \(time.jobs), pause \(pause)")
                try await time.clock.sleep(for: pause)
            case .stopped(let pause):
                note("stopped, pause \(pause)")
                try await time.clock.sleep(for: pause)
            case .over: return
            }
        }
    }

    private func note(_ text: String) {
        world.withTruth { $0.note(text, at: time.now) }
    }

    /// Notes what may let the worker read the overlap again.
    private func noteDisturbance(_ text: String) {
        world.withTruth { truth in
            truth.disturb(at: time.now)
            for endpoint in truth.requests.indices { truth.requests[endpoint].forgetOrder() }
        }
        note(text)
    }

    /// One life of the worker, from opening the files to its end.
    private mutating func live() async throws -> Ending {
        let process = ChaosProcess(number: starts, folder: folder, database: database)
        starts += 1
        world.withTruth { $0.starts += 1 }
        let time = time
        let store = try QueueStore.forSimulation(path: process.path, isDurable: false, now: wallClock.now) {
            try? await time.clock.sleep(for: .zero)
            process.passTransaction()
        }
        let watch = try ChaosWatch(path: process.path)
        try check(watch)
        let provider = ChaosProvider(world, process: process, time: time, watch: watch)
        let handler = ChaosLogHandler(process: process, world: world, time: time)
        let base = WorkerBase(
            store: store, transport: provider, clock: time.clock, wallClock: wallClock, longestSleep: .seconds(3_600),
            logger: Logger(label: "chaos", factory: { _ in handler }))
        let configuration = try configuration(database)
        let interrupted = try await store.reclaimOpenIntents(rules: configuration.rules, at: wallClock.now)
        noteDisturbance("start \(process.number) with configuration \(variant), interrupted \(interrupted)")
        let ending = try await ending(of: process, on: base, configuration)
        if case .over = ending { try finish(watch) }
        watch.close()
        try store.close()
        if process.isDead {
            database = process.heir
            for suffix in ["", "-wal", "-shm", ".lock", ".running", ".prom"] {
                try? FileManager.default.removeItem(atPath: process.path + suffix)
            }
        }
        return ending
    }

    private func configuration(_ database: String) throws -> WorkerConfiguration {
        try plan.configuration(variant: variant, folder: folder, database: database)
    }

    private mutating func check(_ watch: ChaosWatch) throws {
        if let violation = world.violation { throw violation }
        try invariants.check(watch, world.withTruth { $0 }, at: time.now)
    }

    /// Runs the worker and what happens to it, until it ends.
    private mutating func ending(
        of process: ChaosProcess, on base: WorkerBase, _ configuration: WorkerConfiguration
    ) async throws -> Ending {
        try await withThrowingTaskGroup { group in
            group.addTask { try await process.work(configuration, on: base) }
            let ending = try await act(on: process, base)
            if case .stopped = ending {
                process.stop(.end)
            } else {
                group.cancelAll()
            }
            // Work that the end cancels is no error.
            while let result = await group.nextResult() {
                if case .failure(let error) = result, case .stopped = ending { throw error }
            }
            guard process.isDead, case .killed = ending else { return process.isDead ? .killed(pause: .zero) : ending }
            return ending
        }
    }

    // MARK: - What happens

    private mutating func act(on process: ChaosProcess, _ base: WorkerBase) async throws -> Ending {
        while nextStep < plan.steps.count {
            let (moment, step) = plan.steps[nextStep]
            await sleep(until: moment, or: process)
            if let violation = world.violation { throw violation }
            if process.isDead { return .killed(pause: .zero) }
            nextStep += 1
            switch step {
            case .kill(let jobs, let pause):
                time.interrupt(afterJobs: jobs) { process.kill() }
                await sleep(until: time.now + .seconds(3_600), or: process)
                // Nothing happened for an hour, so the worker dies now.
                process.kill()
                return .killed(pause: pause)
            case .stop(let pause): return .stopped(pause: pause)
            case .reload(let number):
                variant = number
                noteDisturbance("reload \(number)")
                process.stop(.reload(try configuration(process.database)))
            case .operate(let deed): try await operate(deed, base.store)
            }
        }
        await sleep(until: plan.end, or: process)
        return process.isDead ? .killed(pause: .zero) : .over
    }

    private func sleep(until moment: Duration, or process: ChaosProcess) async {
        guard moment > time.now else { return }
        await withTaskGroup { group in
            group.addTask { [time] in try? await time.clock.sleep(for: moment - time.now) }
            group.addTask { await process.waitForDeath() }
            await group.next()
            group.cancelAll()
        }
    }

    private mutating func operate(_ deed: ChaosPlan.OperatorDeed, _ store: QueueStore) async throws {
        // Commands use the machine's clock; where the worker corrects its own, their times would mean others.
        let now = plan.tellsTime ? ChaosTruth.beginning + time.now : wallClock.now
        let dice = world.withTruth { $0.dice.next() }
        let ids = world.withTruth { Array(Set($0.calls.map(\.deliveryID))).sorted() }
        let endpoint = plan.receivers[Int(dice % UInt64(plan.receivers.count))].id
        let rules = try configuration(database).rules
        noteDisturbance("operator \(deed)")
        switch deed {
        case .pause: _ = try await store.pause(endpoint: endpoint, by: "chaos", reason: "seed", at: now)
        case .resume: _ = try await store.resume(endpoint: endpoint, by: "chaos", reason: "seed", rules: rules, at: now)
        case .resumeAll:
            for receiver in plan.receivers {
                _ = try await store.resume(endpoint: receiver.id, by: "chaos", reason: "seed", rules: rules, at: now)
            }
        case .retry, .requeue, .discard:
            let action: OperatorAction = deed == .retry ? .retry : deed == .requeue ? .requeue : .discard
            let some = ids.isEmpty ? [] : [ids[Int(dice % UInt64(ids.count))], ids[Int(dice / 7 % UInt64(ids.count))]]
            _ = try await store.act(
                action, on: some, spacing: .seconds(30), by: "chaos", reason: "seed", at: now)
        }
    }

    // MARK: - The end

    private mutating func finish(_ watch: ChaosWatch) throws {
        try check(watch)
        let (early, disturbances) = world.withTruth { ($0.requests.map(\.early), $0.disturbances) }
        note("early readings of the overlap \(early), disturbances \(disturbances)")
        if let lost = invariants.unseen(world.withTruth { $0 }) {
            throw ChaosViolation(promise: lost.promise, detail: lost.detail, time: time.now)
        }
        let open = invariants.open(world.withTruth { $0 })
        if let first = open.first {
            throw ChaosViolation(
                promise: "everything ends",
                detail: "\(open.count) open: \(invariants.rows(ofDelivery: first.id))",
                time: time.now)
        }
        try watch.verify(at: time.now)
    }
}
