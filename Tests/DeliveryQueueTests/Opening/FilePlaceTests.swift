import Foundation
import LocalFiles
import TestSupport
import Testing

/// A path is followed once. What is planted on it before is judged, and what is planted later leads nowhere.
@Suite struct FilePlaceTests {
    private let folder: TemporaryFolder
    private let manager = FileManager.default

    init() throws {
        folder = try TemporaryFolder()
        for name in ["here", "there"] { try makeFolder(name) }
    }

    private func makeFolder(_ name: String) throws {
        try manager.createDirectory(atPath: folder.file(name), withIntermediateDirectories: false)
    }

    private func link(_ name: String, to target: String) throws {
        try manager.createSymbolicLink(atPath: folder.file(name), withDestinationPath: target)
    }

    @Test func `links are followed to the end, and nothing need be there`() throws {
        try link("here/first", to: "../over/../there/./second")
        try link("over", to: folder.file("there"))
        try link("there/second", to: folder.file("over/file.db"))

        let place = try FilePlace(folder.file("here/first"))

        #expect(place.name == "file.db" && place.status == nil)
        #expect(place.path == URL(filePath: folder.file("there")).resolvingSymlinksInPath().path + "/file.db")
    }

    /// The system reads bytes: `/` ends a name whatever follows it. Otherwise two names would be one, and a link in the
    /// first of them would be followed unseen.
    @Test func `a name that begins with an accent is a name of its own`() throws {
        try makeFolder("here/\u{301}b")
        try link("way", to: "here/\u{301}b")

        #expect(try FilePlace(folder.file("here/\u{301}b/\u{301}c")).name == "\u{301}c")
        let place = try FilePlace(folder.file("way/x"))
        #expect(place.path.hasSuffix("b/x") && place.name == "x")
        #expect("/\u{301}".beginsAtRoot && !"a/".beginsAtRoot)
    }

    @Test func `a link that leads to itself, a missing folder and a path below a file are errors in words`() throws {
        try link("round", to: "round")
        try Data().write(to: URL(filePath: folder.file("file")))

        func fault(_ name: String) -> String? {
            #expect(throws: FileFault.self) { try FilePlace(folder.file(name)) }?.description
        }
        #expect(fault("round/x") == "too many symbolic links" && fault("round") == "too many symbolic links")
        #expect(fault("missing/x") == "No such file or directory")
        #expect(fault("file/x") == "Not a directory")
    }

    @Test func `a link that takes the folder's name later leads nowhere else`() throws {
        let place = try FilePlace(folder.file("here/file"))
        try manager.moveItem(atPath: folder.file("here"), toPath: folder.file("moved"))
        try link("here", to: folder.file("there"))

        #expect(manager.createFile(atPath: place.lastingPath, contents: Data("new".utf8)))

        #expect(try manager.contentsOfDirectory(atPath: folder.file("there")) == [])
        #expect(try Data(contentsOf: URL(filePath: folder.file("moved/file"))) == Data("new".utf8))
    }

    @Test(.enabled(if: getuid() == 0, "only root can make a link of another user"))
    func `root follows no link of another user, wherever in the path it stands`() throws {
        try link("link", to: "here")
        try link("here/file", to: folder.file("there/file"))
        #expect(try FilePlace(folder.file("link/file")).path.hasSuffix("/there/file"))
        #expect(try OpenFolder(folder.file("link")).names() == ["file"])

        #expect(lchown(folder.file("here/file"), 65_534, 65_534) == 0)
        let last = #expect(throws: FileFault.self) { try FilePlace(folder.file("here/file")) }
        #expect(last?.description.contains("here/file is a symbolic link that another user made (user 65534)") == true)

        #expect(lchown(folder.file("link"), 65_534, 65_534) == 0)
        for path in ["link/file", "link/other", "link"] {
            #expect(throws: FileFault.self) { try OpenFolder(making: folder.file(path)) }
        }
        #expect(throws: FileFault.self) { try FilePlace(folder.file("link/other")) }
        #expect(try manager.contentsOfDirectory(atPath: folder.file("here")) == ["file"])
    }
}
