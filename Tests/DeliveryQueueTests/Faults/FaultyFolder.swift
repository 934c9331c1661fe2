import FaultyDisk
import Foundation
import TestSupport

/// A folder whose disk fails when a test says so, and remembers what was written to it.
final class FaultyFolder: Sendable {
    private let folder: TemporaryFolder
    /// An opaque pointer: the C side guards what it points to.
    private let script: SendablePointer

    private struct SendablePointer: @unchecked Sendable {
        let value: OpaquePointer
    }

    var path: String { folder.path }
    var database: String { folder.file("queue.db") }

    /// - Parameter files: what is in it, by name.
    init(_ files: [String: Data] = [:]) throws {
        folder = try TemporaryFolder()
        for (name, data) in files { try data.write(to: URL(filePath: folder.file(name))) }
        let real = URL(filePath: folder.path).resolvingSymlinksInPath().path
        guard let script = faulty_watch(real) else { throw CocoaError(.fileReadUnknown) }
        self.script = SendablePointer(value: script)
    }

    deinit {
        faulty_unwatch(script.value)
    }

    func file(_ name: String) -> String { folder.file(name) }

    /// The `number`th call that can fail so does, and with `isPersistent` all later ones too.
    func arm(_ fault: Fault, at number: Int, isPersistent: Bool) {
        faulty_arm(script.value, fault.calls, Int64(number), fault.code, isPersistent)
    }

    /// - Returns: how many calls failed.
    func disarm() -> Int {
        faulty_disarm(script.value)
        return Int(faulty_injected(script.value))
    }

    // MARK: - What was written

    /// Records from now on everything that changes a file, in order.
    func record() {
        faulty_record(script.value)
    }

    var eventCount: Int { Int(faulty_event_count(script.value)) }

    /// All that was recorded.
    var events: [DiskEvent] {
        (0..<eventCount).map { index in
            let event = faulty_event_at(script.value, Int64(index))
            let file = URL(filePath: String(cString: faulty_path(script.value, event.file))).lastPathComponent
            let what: DiskEvent.What =
                switch Int(event.what) {
                case Int(FAULTY_EVENT_WRITE):
                    .write(
                        at: Int(event.offset), Data(bytes: UnsafeRawPointer(event.bytes), count: Int(event.length)))
                case Int(FAULTY_EVENT_TRUNCATE): .truncate(to: Int(event.offset))
                case Int(FAULTY_EVENT_DELETE): .delete
                default: .sync
                }
            return DiskEvent(file: file, what: what)
        }
    }
}

/// Something that changed a file, or made its changes outlast a loss of power.
struct DiskEvent: Sendable {
    enum What: Sendable {
        case write(at: Int, Data)
        case truncate(to: Int)
        case sync
        case delete
    }

    let file: String
    let what: What
}
