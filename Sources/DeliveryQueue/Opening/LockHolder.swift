import Foundation
import LocalFiles

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Who holds an instance lock, as it wrote into the lock file and into the presence file. A process id means something
/// only in the container or on the machine that gave it.
struct LockHolder: Equatable {
    let process: Int
    /// The name of its machine or container; empty when an older release wrote the file.
    let host: String
    /// The kernel's name for its process id namespace, because two containers may share a host name; empty: unknown.
    let space: String

    init(process: Int, host: String, space: String) {
        self.process = process
        self.host = host
        self.space = space
    }

    /// This process.
    static var own: LockHolder {
        LockHolder(process: Int(getpid()), host: hostName, space: processSpace)
    }

    /// The content of the lock file: one line each for process, host and space.
    var text: String { "\(process)\n\(host)\n\(space)\n" }

    /// - Parameter text: a lock file's content, which may be anything.
    /// - Returns: nil when it does not begin with a process id.
    init?(text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let process = lines.first.flatMap({ Int($0) }), process > 0 else { return nil }
        self.init(
            process: process, host: lines.count > 1 ? Self.plain(lines[1]) : "",
            space: lines.count > 2 ? Self.plain(lines[2]) : "")
    }

    /// Who wrote into the file that it is; nil when it could not write.
    static func written(in file: OpenFile) -> LockHolder? {
        (try? file.bytes(atMost: 256)).flatMap { LockHolder(text: String(decoding: $0, as: UTF8.self)) }
    }

    /// Writes it into a file in the place of what stands there. A failure only costs the name in another instance's
    /// refusal; the lock itself holds.
    func write(to file: OpenFile) {
        guard ftruncate(file.descriptor, 0) == 0 else { return }
        let bytes = Array(text.utf8)
        _ = pwrite(file.descriptor, bytes, bytes.count, 0)
    }

    /// Whether the process is there. Only for one that is near.
    var isAlive: Bool {
        kill(pid_t(clamping: process), 0) == 0 || errno == EPERM
    }

    /// Names the holder when another instance is refused.
    ///
    /// - Parameter reader: that instance; tells whether the process id means anything there.
    func name(for reader: LockHolder) -> String {
        guard !isNear(reader) else { return "process \(process)" }
        return "process \(process) of \(host), which is another container or machine"
    }

    /// Whether its process id means the same process to `reader`. An older release's file does not tell.
    func isNear(_ reader: LockHolder) -> Bool {
        host.isEmpty || (host == reader.host && space == reader.space)
    }

    /// Keeps letters, digits and a few signs only: the text goes to terminals and logs.
    private static func plain(_ text: Substring) -> String {
        String(text.prefix(64).filter { $0.isASCII && ($0.isLetter || $0.isNumber || "-._:[]".contains($0)) })
    }

    private static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "" }
        return plain(Substring(text(of: name)))
    }

    /// `pid:[4026531836]` for a Linux machine's own space; elsewhere there is only one.
    private static var processSpace: String {
        var name = [CChar](repeating: 0, count: 64)
        guard readlink("/proc/self/ns/pid", &name, name.count - 1) > 0 else { return "" }
        return text(of: name)
    }

    private static func text(of bytes: [CChar]) -> String {
        String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
