import Foundation
import HostileInput
import Testing

/// Inputs that did harm or show a limit, kept in files: `Corpus/<target>/<what it is>`.
@Suite(.timeLimit(.minutes(20))) struct CorpusTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Corpus")

    @Test(arguments: FuzzTarget.all.map(\.name)) func `what once did harm does none`(_ name: String) async throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        let own = Self.folder.appending(path: name)
        let files = (try? FileManager.default.contentsOfDirectory(atPath: own.path)) ?? []
        for file in files.sorted() {
            let input = [UInt8](try Data(contentsOf: own.appending(path: file)))
            await #expect(throws: Never.self, "\(name)/\(file)") { try await target.check(input) }
        }
    }

    @Test func `every folder of the corpus belongs to a target`() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        #expect(!folders.isEmpty)
        #expect(Set(folders).isSubset(of: FuzzTarget.all.map(\.name)))
    }
}
