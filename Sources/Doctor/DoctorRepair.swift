package import DeliveryQueue
import Foundation

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
        makeFolder() + removeLeftover() + openForGroup()
    }

    /// The textfile folder.
    private func makeFolder() -> [Outcome] {
        guard let metrics = probe.metrics, metrics.folder == nil else { return [] }
        let folder = URL(fileURLWithPath: metrics.path).deletingLastPathComponent().path
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            return [.fixed("made the folder \(folder)")]
        } catch {
            // The error's own text is often only a number; the underlying error has the system's text.
            let cause = ((error as? CocoaError)?.underlying as? POSIXError).map { Self.text(of: $0.code.rawValue) }
            return [.failed("make the folder \(folder): \(cause ?? error.localizedDescription)")]
        }
    }

    /// A half-written metrics file that a crash left. A young one may belong to a running daemon.
    private func removeLeftover() -> [Outcome] {
        guard let leftover = probe.metrics?.leftover, !leftover.isFolder,
            now - leftover.modified > MetricsJudgement.leftoverAge
        else { return [] }
        guard unlink(leftover.path) == 0 else { return [failed("remove \(leftover.path)")] }
        return [.fixed("removed \(leftover.path), left by a crash")]
    }

    /// Gives the group the right to read the database's files.
    private func openForGroup() -> [Outcome] {
        guard let path = probe.databasePath else { return [] }
        return FileProbe.databaseFiles(path).all.filter { $0.mode & 0o040 == 0 }.map { file in
            guard chmod(file.path, mode_t(file.mode | 0o040)) == 0 else {
                return failed("give the group the right to read \(file.path)")
            }
            return .fixed("gave the group the right to read \(file.path)")
        }
    }

    /// Reads `errno`; call it right after the step.
    private func failed(_ step: @autoclosure () -> String) -> Outcome {
        let code = errno
        return .failed("\(step()): \(Self.text(of: code))")
    }

    private static func text(of code: Int32) -> String { String(cString: strerror(code)) }
}
