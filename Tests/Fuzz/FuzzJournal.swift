import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The input at which a child works. The child notes it in memory that it shares with its parent through a file, so
/// that the note survives when the child dies at the next instruction.
struct FuzzJournal {
    private static let size = 4_096

    private let words: UnsafeMutablePointer<UInt64>

    init(path: String) throws {
        let file = open(path, O_RDWR | O_CREAT, 0o600)
        guard file >= 0, ftruncate(file, off_t(Self.size)) == 0,
            let memory = mmap(nil, Self.size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), memory != MAP_FAILED
        else { throw CocoaError(.fileWriteUnknown) }
        close(file)
        words = memory.bindMemory(to: UInt64.self, capacity: Self.size / 8)
    }

    /// The target's index in ``FuzzTarget/all`` and the input's number.
    struct Entry: Equatable {
        var target: Int
        var number: UInt64
    }

    func begin(_ entry: Entry) {
        words[0] = UInt64(entry.target)
        words[1] = entry.number
    }

    var current: Entry { Entry(target: Int(words[0]), number: words[1]) }
}
