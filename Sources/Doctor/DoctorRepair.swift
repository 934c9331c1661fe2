package import DeliveryQueue
import Foundation
import LocalFiles

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Repairs what can be repaired without harm. It neither touches the database's content nor stops anything.
package struct DoctorRepair: Sendable {
    private let probe: DoctorProbe
    private let now: Timestamp

    package init(_ probe: DoctorProbe, at now: Timestamp) {
        self.probe = probe
        self.now = now
    }

    /// The result of one repair, as a sentence: what was done, or what could not be done and why.
    package enum Outcome: Sendable, Equatable {
        case fixed(String)
        case failed(String)
    }

    /// - Returns: empty when nothing had to be repaired.
    package func run() -> [Outcome] {
        makeFolder() + removeLeftovers() + makeCompanions() + openForGroup()
    }

    /// The textfile folder.
    private func makeFolder() -> [Outcome] {
        guard let metrics = probe.metrics, metrics.folder == nil else { return [] }
        let folder = URL(fileURLWithPath: metrics.path).deletingLastPathComponent().path
        do throws(FileFault) {
            _ = try OpenFolder(making: folder)
            return [.fixed("made the folder \(folder)")]
        } catch {
            return [.failed("make the folder \(folder): \(error)")]
        }
    }

    /// Half-written metrics files that crashes left.
    private func removeLeftovers() -> [Outcome] {
        let old = probe.metrics?.leftovers.filter { MetricsJudgement.isLeft($0, at: now) } ?? []
        return old.map { leftover in
            do throws(FileFault) {
                let folder = try OpenFolder(PendingFile.folder(of: leftover.path))
                guard folder.remove(PendingFile.name(of: leftover.path)) else { throw FileFault(code: errno) }
                return .fixed("removed \(leftover.path), left by a crash")
            } catch {
                return .failed("remove \(leftover.path): \(error)")
            }
        }
    }

    /// Without `-wal` and `-shm` a user who may only read cannot open the database. Opening it as its owner does
    /// makes them; SQLite gives those that root makes to the database's owner. A running daemon has its own open, and
    /// second ones would lead to two truths.
    private func makeCompanions() -> [Outcome] {
        guard let path = probe.databasePath else { return [] }
        let files = FileProbe.databaseFiles(path)
        guard files.main != nil, files.wal == nil || files.shm == nil else { return [] }
        if case .running = DaemonPresence.look(atDatabase: path) {
            return [.failed("make \(path)-wal and \(path)-shm: a daemon runs that has them open; it ends by itself")]
        }
        do throws(StoreError) {
            try QueueStore.forOperator(path: path, now: now).close()
            return [.fixed("made \(path)-wal and \(path)-shm again, which readers need")]
        } catch {
            return [.failed("make \(path)-wal and \(path)-shm: \(error)")]
        }
    }

    /// Gives the group the right to read the database's files. They are changed by their descriptors: the daemon's user
    /// may have put a link to another file in the place of one.
    private func openForGroup() -> [Outcome] {
        guard let path = probe.databasePath else { return [] }
        return FileProbe.databaseFiles(path).readable.filter { $0.mode & 0o040 == 0 }.map { file in
            do throws(FileFault) {
                let folder = try OpenFolder(PendingFile.folder(of: file.path))
                try folder.read(PendingFile.name(of: file.path)).add(permissions: 0o040)
                return .fixed("gave the group the right to read \(file.path)")
            } catch {
                return .failed("give the group the right to read \(file.path): \(error)")
            }
        }
    }
}
