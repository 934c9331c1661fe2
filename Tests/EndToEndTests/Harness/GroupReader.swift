import Foundation

/// On-call as docs/on-call.md has it: a user who may not write, in the group of the database's folder.
///
/// Root becomes such a user with `setpriv`. Where the tests are not run by root, nobody else can be become: then the
/// same commands are run as the current user, who owns the files.
struct GroupReader {
    let bench: Bench
    let database: URL
    private let program: URL

    private static let user = "65534"
    /// A group that the files' owner need not be in.
    private static let group: UInt32 = 61_234
    private static var setpriv: URL? { getuid() == 0 ? BuiltPrograms.tool("setpriv") : nil }

    /// Gives a worker's folder, before its first start, the group and the mode that docs/on-call.md asks for.
    init(of redeliver: RedeliverProcess) async throws {
        (bench, database) = (redeliver.bench, redeliver.database)
        if Self.setpriv != nil { try Self.own(redeliver.folder) }
        try Self.change(redeliver.folder, to: 0o2750)
        program = try await Self.reachableProgram(bench)
    }

    /// What `redeliver status --json` says to this user.
    func status() async throws -> Finished {
        try await run(program, ["status", "--json", "--database", database.path])
    }

    /// What the `sqlite3` program answers this user; nil where it is not installed.
    func shell(_ sql: String) async throws -> Finished? {
        guard let sqlite = BuiltPrograms.tool("sqlite3") else {
            print("sqlite3 is not installed: the reader asks with redeliver status only")
            return nil
        }
        return try await run(sqlite, ["file:\(database.path)?mode=ro", sql])
    }

    /// `redeliver` refuses with a code and a text; `touch` shows that this user may not write where root can be left.
    func mayWrite() async throws -> Bool {
        let file = database.deletingLastPathComponent().appending(path: "written-\(UUID().uuidString)")
        guard let touch = BuiltPrograms.tool("touch") else { return false }
        return try await run(touch, [file.path]).ending == .code(0)
    }

    /// Whether commands are run as another user than the tests.
    var isUnprivileged: Bool { Self.setpriv != nil }

    /// Runs a program as this user to its end.
    func run(_ program: URL, _ arguments: [String]) async throws -> Finished {
        try await Self.run(bench, program, arguments)
    }

    /// Starts a program as this user.
    func start(_ program: URL, _ arguments: [String]) throws -> RunningProgram {
        try Self.start(bench, program, arguments)
    }

    /// Starts `redeliver` as this user.
    func startRedeliver(_ arguments: [String]) throws -> RunningProgram {
        try start(program, arguments)
    }

    /// Makes this user the owner of a file or a folder.
    func give(_ url: URL) throws {
        guard let user = UInt32(Self.user), chown(url.path, user, Self.group) == 0 else {
            throw SandboxError("chown \(url.path): errno \(errno)")
        }
    }

    private static func start(_ bench: Bench, _ program: URL, _ arguments: [String]) throws -> RunningProgram {
        guard let setpriv else { return try bench.start(program, arguments) }
        return try bench.start(
            setpriv, ["--reuid", user, "--regid", "\(group)", "--clear-groups", program.path] + arguments)
    }

    private static func run(_ bench: Bench, _ program: URL, _ arguments: [String]) async throws -> Finished {
        let child = try start(bench, program, arguments)
        return Finished(ending: try await child.ending(), output: child.output, errors: child.errors)
    }

    /// The built program, or a copy of it where the checkout's folders are closed to other users.
    private static func reachableProgram(_ bench: Bench) async throws -> URL {
        let built = try BuiltPrograms.url(of: "redeliver")
        if try await run(bench, built, ["--help"]).ending == .code(0) { return built }
        let copy = bench.folder.appending(path: "redeliver")
        try FileManager.default.copyItem(at: built, to: copy)
        try change(copy, to: 0o755)
        return copy
    }

    /// Files that a test makes in place of the daemon get what the daemon's would have.
    static func own(_ url: URL) throws {
        guard setpriv != nil else { return }
        guard chown(url.path, 0, group) == 0 else { throw SandboxError("chown \(url.path): errno \(errno)") }
    }

    static func change(_ url: URL, to mode: Int) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: url.path)
    }
}
