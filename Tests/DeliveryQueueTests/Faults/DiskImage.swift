import Foundation

@testable import QueueFixtures

/// A disk that loses power: synced writes are there, and any part of the others.
struct DiskImage {
    /// By file name; a file that was never synced need not be there.
    private var synced: [String: Data] = [:]
    private var unsynced: [String: [DiskEvent.What]] = [:]

    /// Takes what happened before the power was lost, in its order.
    mutating func take(_ event: DiskEvent) {
        guard case .sync = event.what else {
            unsynced[event.file, default: []].append(event.what)
            return
        }
        // A file system with a journal writes what it knows of its folders with any sync.
        for (file, changes) in unsynced where file == event.file || changes.contains(where: \.isDelete) {
            synced[file] = changes.reduce(synced[file]) { $1.applied(to: $0) }
            unsynced[file] = nil
        }
        if synced[event.file] == nil { synced[event.file] = Data() }
    }

    /// The files after the loss, when only synced writes reached the disk.
    var withoutUnsynced: [String: Data] { synced }

    /// The files after the loss, when any part of the other writes reached the disk too, by sectors.
    func withSome(_ generator: inout some RandomNumberGenerator) -> [String: Data] {
        var files = synced
        for (file, changes) in unsynced.sorted(by: { $0.key < $1.key }) {
            for change in changes where Bool.random(using: &generator) {
                for piece in change.sectors where Bool.random(using: &generator) {
                    files[file] = piece.applied(to: files[file])
                }
            }
        }
        return files
    }
}

extension DiskEvent.What {
    /// What a disk writes whole or not at all.
    private static let sector = 512

    var isDelete: Bool {
        if case .delete = self { true } else { false }
    }

    /// nil: there is no file.
    fileprivate func applied(to file: Data?) -> Data? {
        switch self {
        case .write(let offset, let bytes):
            var file = file ?? Data()
            if file.count < offset { file.append(Data(count: offset - file.count)) }
            file.replaceSubrange(offset..<min(file.count, offset + bytes.count), with: bytes)
            return file
        case .truncate(let size): return file.map { Data($0.prefix(size)) }
        case .delete: return nil
        case .sync: return file
        }
    }

    fileprivate var sectors: [DiskEvent.What] {
        guard case .write(let offset, let bytes) = self else { return [self] }
        return stride(from: 0, to: bytes.count, by: Self.sector).map { start in
            let end = min(bytes.count, start + Self.sector)
            return .write(at: offset + start, Data(bytes[(bytes.startIndex + start)..<(bytes.startIndex + end)]))
        }
    }
}
