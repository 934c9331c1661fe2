import DatabaseTools
import DeliveryQueue
package import DeliveryWorker
import Foundation
import ProviderAPI
package import RedeliverConfiguration

/// Gathers the doctor's facts. A fact that fails says so and does not stop the others.
package struct DoctorProbe: Sendable {
    package let configuration: Result<WorkerConfiguration, ConfigurationError>
    package let databasePath: String?
    private let wallClock: WallClock

    /// - Parameter database: used instead of the configured one; nil for the configured one.
    package init(
        configuration: Result<WorkerConfiguration, ConfigurationError>, database: String?,
        wallClock: WallClock = .system
    ) {
        self.configuration = configuration
        databasePath = database ?? (try? configuration.get())?.database
        self.wallClock = wallClock
    }

    package func facts() async -> DoctorFacts {
        let provider = await providerFacts()
        // Before the database is opened, because opening creates missing files for a user who may write.
        let files = databasePath.map(FileProbe.databaseFiles)
        return DoctorFacts(
            now: wallClock.now, configuration: configuration, databasePath: databasePath,
            database: databasePath.map(database), daemon: databasePath.map(DaemonPresence.look(atDatabase:)),
            files: files, metrics: metrics, provider: provider, disks: disks)
    }

    private func database(_ path: String) -> Result<DatabaseHealth, StoreError> {
        do throws(StoreError) {
            let reader = try QueueReader.ofAnySchema(path: path)
            defer { try? reader.close() }
            return .success(try reader.health())
        } catch {
            return .failure(error)
        }
    }

    var metrics: MetricsFacts? {
        guard let metrics = try? configuration.get().metrics else { return nil }
        return MetricsFacts(
            path: metrics.textfile, interval: metrics.interval, folder: FileProbe.look(folder(of: metrics.textfile)),
            file: FileProbe.look(metrics.textfile), leftovers: leftovers(of: metrics.textfile))
    }

    private func leftovers(of textfile: String) -> [FileFacts] {
        PendingFile.unfinished(of: textfile).compactMap { FileProbe.look("\(folder(of: textfile))/\($0)") }
    }

    private var disks: [DiskFacts] {
        let reserve = (try? configuration.get())?.diskReserve
        var disks = databasePath.map { [FileProbe.disk(.database, folder: folder(of: $0), reserve: reserve)] } ?? []
        if let textfile = try? configuration.get().metrics.textfile {
            disks.append(FileProbe.disk(.metrics, folder: folder(of: textfile)))
        }
        return disks
    }

    private func folder(of path: String) -> String {
        URL(fileURLWithPath: path).deletingLastPathComponent().path
    }

    // MARK: - The provider

    /// The daemon may wait longer for an answer; people should not.
    private static let longestWait = Duration.seconds(10)
    private static let asksAtOnce = 8

    private func providerFacts() async -> Result<[EndpointReading], Unknown> {
        guard var configuration = try? configuration.get() else {
            return .failure(Unknown("the configuration cannot be used"))
        }
        configuration.provider.requestTimeout = min(configuration.provider.requestTimeout, Self.longestWait)
        let endpoints = configuration.endpoints
        do {
            return .success(
                try await withProvider(configuration) { client in
                    let first = await ask(endpoints[0], client)
                    guard !first.isHopeless else {
                        return [first] + endpoints.dropFirst().map { notAsked($0, at: first.answered) }
                    }
                    return [first] + (await ask(Array(endpoints.dropFirst()), client))
                })
        } catch {
            return .failure(Unknown("\(error)"))
        }
    }

    private func ask(_ endpoints: [WorkerConfiguration.Endpoint], _ client: ProviderClient) async -> [EndpointReading] {
        await withTaskGroup(of: (Int, EndpointReading).self) { group in
            var answers: [Int: EndpointReading] = [:]
            for (index, endpoint) in endpoints.enumerated() {
                if index >= Self.asksAtOnce, let (done, answer) = await group.next() { answers[done] = answer }
                group.addTask { (index, await ask(endpoint, client)) }
            }
            for await (done, answer) in group { answers[done] = answer }
            return endpoints.indices.compactMap { answers[$0] }
        }
    }

    private func ask(_ endpoint: WorkerConfiguration.Endpoint, _ client: ProviderClient) async -> EndpointReading {
        let asked = wallClock.now
        let began = ContinuousClock.now
        let outcome: Result<EndpointReading.Page, ProviderError>
        do throws(ProviderError) {
            outcome = .success(EndpointReading.Page(try await client.logs(of: endpoint.id)))
        } catch {
            outcome = .failure(error)
        }
        return EndpointReading(
            id: endpoint.id, name: endpoint.name, outcome: outcome, duration: ContinuousClock.now - began, asked: asked,
            answered: wallClock.now)
    }

    private func notAsked(_ endpoint: WorkerConfiguration.Endpoint, at now: Timestamp) -> EndpointReading {
        EndpointReading(id: endpoint.id, name: endpoint.name, outcome: nil, asked: now, answered: now)
    }
}

extension EndpointReading {
    /// Whether the next endpoint would fail in the same way.
    fileprivate var isHopeless: Bool {
        guard case .failure(let error) = outcome else { return false }
        return switch error.kind {
        case .unreachable, .unauthorized, .credential, .cancelled: true
        case .forbidden, .endpointNotFound, .throttled, .unavailable, .unknownOutcome, .unreadableAnswer,
            .answerTooLarge, .redirected, .rejected:
            false
        }
    }
}

extension EndpointReading.Page {
    fileprivate init(_ page: LogPage) {
        let unreadable = page.items.count {
            if case .unreadable = $0 { true } else { false }
        }
        self.init(
            entries: page.items.count, unreadable: unreadable,
            serverTime: page.serverTime.map(Timestamp.init(milliseconds:)), nextCorrection: page.nextCorrection,
            nextFault: page.nextFault)
    }
}
