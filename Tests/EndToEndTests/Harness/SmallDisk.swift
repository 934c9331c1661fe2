import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file system of its own in memory that a test can fill to the last byte.
struct SmallDisk {
    let folder: URL
    private var ballast: String { folder.appending(path: "ballast").path }

    /// Gives `test` such a disk and takes it away again, also when it is still in use. Only root may mount one: for
    /// others the test is skipped with a note.
    static func with(megabytes: Int, _ bench: Bench, _ test: (SmallDisk) async throws -> Void) async throws {
        let folder = bench.folder.appending(path: "disk")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        guard let mount = BuiltPrograms.tool("mount"), let unmount = BuiltPrograms.tool("umount"),
            try await bench.run(mount, ["-t", "tmpfs", "-o", "size=\(megabytes)m", "redeliver-test", folder.path])
                .ending
                == .code(0)
        else { return print("no file system can be mounted here (root can): a really full disk is not tested") }
        let result: Result<Void, any Error>
        do {
            result = .success(try await test(SmallDisk(folder: folder)))
        } catch {
            result = .failure(error)
        }
        _ = try await bench.run(unmount, ["--lazy", folder.path])
        try result.get()
    }

    /// What is still free, in bytes.
    func free() throws -> Int {
        var facts = statvfs()
        guard statvfs(folder.path, &facts) == 0 else { throw SandboxError("statvfs: errno \(errno)") }
        return Int(facts.f_bavail) * Int(facts.f_frsize)
    }

    /// Fills it with one file until so many bytes are free.
    func fill(leaving bytes: Int) throws {
        let descriptor = open(ballast, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SandboxError("open \(ballast): errno \(errno)") }
        defer { close(descriptor) }
        let chunk = [UInt8](repeating: 0x5A, count: 1 << 20)
        while try free() > bytes {
            let wanted = min(chunk.count, try free() - bytes)
            guard write(descriptor, chunk, wanted) > 0 else { return }
        }
    }

    func empty() {
        unlink(ballast)
    }
}
