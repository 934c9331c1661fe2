import LocalFiles

/// Whether a daemon works on a database, seen from outside.
package enum DaemonPresence: Sendable, Equatable {
    case absent
    /// nil: it could not write its process id down, or the id is of another container and means nothing here.
    case running(process: Int?)
    /// The file that tells it cannot be read by this user.
    case unknown(cause: String)

    /// Looks whether a daemon works on the database at `path`. It makes no file and keeps no daemon from starting.
    package static func look(atDatabase path: String) -> DaemonPresence {
        do throws(FileFault) {
            return PresenceFile.look(besides: try FilePlace(path))
        } catch {
            return error.isMissing ? .absent : .unknown(cause: error.description)
        }
    }
}
