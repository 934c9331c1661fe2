import DeliveryQueue
import Foundation
import Testing

@testable import DeliveryWorker

@Suite struct MetricsFileTests {
    private let folder: String

    init() throws {
        folder = NSTemporaryDirectory() + "redeliver-text-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    private var path: String { folder + "/redeliver.prom" }

    private func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }

    private func mode(_ path: String) throws -> Int {
        try #require(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    @Test func `a new file holds the text and may be read by everyone, whatever the umask`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let before = umask(0o027)
        defer { umask(before) }

        try MetricsReporter.replace(path, with: "a 1\n")

        #expect(try String(contentsOfFile: path, encoding: .utf8) == "a 1\n")
        #expect(try mode(path) == 0o644)
        #expect(try names() == ["redeliver.prom"])
    }

    /// A reader that holds the old file open sees the old text to its end: the file is replaced, never rewritten.
    @Test func `replacing leaves the old text whole for whoever reads it`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let old = String(repeating: "old 1\n", count: 10_000)
        try MetricsReporter.replace(path, with: old)
        let reader = try #require(FileHandle(forReadingAtPath: path))
        let start = try reader.read(upToCount: 100) ?? Data()

        try MetricsReporter.replace(path, with: "new 1\n")

        #expect(start + (try reader.readToEnd() ?? Data()) == Data(old.utf8))
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "new 1\n")
    }

    /// The name was `redeliver.prom.tmp` once: a link there let the daemon write over its own database.
    @Test func `a link in the folder is never written through, whatever its name`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let database = folder + "/redeliver.db"
        try "precious".write(toFile: database, atomically: false, encoding: .utf8)
        for link in [path, path + ".tmp"] {
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: database)
        }

        try MetricsReporter.replace(path, with: "a 1\n")

        #expect(try String(contentsOfFile: path, encoding: .utf8) == "a 1\n")
        #expect(try String(contentsOfFile: database, encoding: .utf8) == "precious")
    }

    @Test func `a FIFO in the file's place does not make the writer wait`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for pipe in [path, path + ".tmp"] { #expect(mkfifo(pipe, 0o644) == 0) }

        try MetricsReporter.replace(path, with: "a 1\n")

        #expect(try String(contentsOfFile: path, encoding: .utf8) == "a 1\n")
    }

    @Test func `what a kill left of unfinished files is removed, and nothing else`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let others = ["other.prom.partial-0123456789ab", "redeliver.prom.partial-7", "redeliver.prom"]
        for name in others + ["redeliver.prom.partial-0123456789ab"] {
            try "x".write(toFile: "\(folder)/\(name)", atomically: false, encoding: .utf8)
        }

        PendingFile.removeUnfinished(of: path)

        #expect(try names() == others.sorted())
    }

    @Test func `a file that had another mode gets 0644`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try MetricsReporter.replace(path, with: "a 1\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)

        try MetricsReporter.replace(path, with: "a 2\n")

        #expect(try mode(path) == 0o644)
    }

    @Test func `a missing folder is named, with its cause and where to look`() {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let missing = folder + "/none/redeliver.prom"

        let error = #expect(throws: MetricsFileError.self) { try MetricsReporter.replace(missing, with: "a 1\n") }

        #expect(
            error?.description
                == "write the metrics file \(missing): No such file or directory; check `metrics.textfile`, its folder and "
                + "the free space"
        )
    }

    @Test func `a rename that fails leaves no temporary file behind`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)

        let error = #expect(throws: MetricsFileError.self) { try MetricsReporter.replace(path, with: "a 1\n") }

        #expect(error?.description.hasPrefix("write the metrics file \(path): ") == true)
        #expect(try names() == ["redeliver.prom"])
    }

}
