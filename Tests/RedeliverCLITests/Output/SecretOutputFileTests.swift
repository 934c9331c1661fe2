import ArgumentParser
import DeliveryQueue
import Foundation
import Testing

@testable import RedeliverCLI

@Suite struct SecretOutputFileTests {
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "redeliver-secret-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private var path: String { folder.appending(path: "secret").path }

    private func mode() throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0
    }

    @Test func `a secret's file holds its bytes alone, for its owner alone`() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = try SecretOutputFile(creating: path)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
        try file.write("s-é\"1")
        #expect(try Data(contentsOf: URL(filePath: path)) == Data("s-é\"1".utf8))
        #expect(try mode() == 0o600)
    }

    @Test func `a file that is there is never overwritten, nor one behind a link`() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try "mine".write(toFile: path, atomically: true, encoding: .utf8)
        let link = folder.appending(path: "link").path
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder.path + "/elsewhere")
        for taken in [path, link] {
            let error = #expect(throws: ValidationError.self) { try SecretOutputFile(creating: taken) }
            #expect(error?.message.contains("\(taken): it exists already and is not overwritten") == true)
        }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "mine")
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/elsewhere"))
    }

    @Test func `a place where no file can be made is told`() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let missing = folder.appending(path: "none/secret").path
        let error = #expect(throws: ValidationError.self) { try SecretOutputFile(creating: missing) }
        #expect(error?.message == "cannot make \(missing): No such file or directory")
    }

    @Test func `a file that comes up meanwhile is not overwritten`() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = try SecretOutputFile(creating: path)
        try "mine".write(toFile: path, atomically: true, encoding: .utf8)
        #expect(throws: StoreError.self) { try file.write("s") }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "mine")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["secret"])
    }

    @Test func `a discarded file is gone`() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let written = try SecretOutputFile(creating: path)
        try written.write("s")
        written.discard()
        #expect(!FileManager.default.fileExists(atPath: path))
    }
}
