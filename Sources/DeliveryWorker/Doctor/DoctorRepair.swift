package import DeliveryQueue
import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Mends what can be mended without harm: nothing of it touches the database's content or stops anything.
package struct DoctorRepair: Sendable {
    private let probe: DoctorProbe
    private let now: Timestamp

    package init(_ probe: DoctorProbe, at now: Timestamp) {
        self.probe = probe
        self.now = now
    }

    /// - Returns: what was done and what could not be done, a sentence each; empty when nothing was to be done.
    package func run() -> [String] {
        makeFolder() + removeLeftover() + openForGroup()
    }

    /// The textfile folder.
    private func makeFolder() -> [String] {
        guard let metrics = probe.metrics, metrics.folder == nil else { return [] }
        let folder = URL(fileURLWithPath: metrics.path).deletingLastPathComponent().path
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            return ["made the folder \(folder)"]
        } catch {
            return ["could not make the folder \(folder): \(String(cString: strerror(errno)))"]
        }
    }

    /// A metrics file that a crash left half written. A young one may belong to a running daemon.
    private func removeLeftover() -> [String] {
        guard let leftover = probe.metrics?.leftover, !leftover.isFolder,
            now - leftover.modified > MetricsJudgement.leftoverAge
        else { return [] }
        return [done(unlink(leftover.path) == 0, "removed \(leftover.path), left by a crash")]
    }

    /// The group's right to read our own files.
    private func openForGroup() -> [String] {
        guard let path = probe.databasePath else { return [] }
        return FileProbe.databaseFiles(path).all.filter { $0.mode & 0o040 == 0 }.map { file in
            done(chmod(file.path, mode_t(file.mode | 0o040)) == 0, "gave the group the right to read \(file.path)")
        }
    }

    /// Reads `errno`; call it right after the step.
    private func done(_ isDone: Bool, _ sentence: String) -> String {
        isDone ? sentence : "could not do it: \(sentence): \(String(cString: strerror(errno)))"
    }
}
