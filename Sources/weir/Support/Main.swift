import ArgumentParser
import Foundation
import Pipeline
import Primitives
import Storage
import Synchronization

/// The one place where errors become exit codes: 0 success (and a reader that closed the pipe), 1 failure, 2 finished with more
/// than `--max-bad` of the records quarantined, 64 usage.
@main enum Main {
  static func main() {
    Interrupt.install()
    do {
      var command = try Weir.parseAsRoot(RenamedOptions.resolve(Array(CommandLine.arguments.dropFirst())))
      try command.run()
    } catch {
      Job.abort { code(of: error) }
      exit(code(of: error))
    }
  }

  /// Says what went wrong on standard error and gives the exit code.
  static func code(of error: any Error) -> Int32 {
    switch error {
    case is BrokenPipe: return 0
    case let error as ExitCode: return error.rawValue
    case let error as WeirError: return fail(error.description)
    case let error as Stopped: return fail(error.description)
    default:
      let code = Weir.exitCode(for: error)
      var text = Weir.fullMessage(for: error)
      if code != .success, text.hasPrefix("Error: ") { text = "weir: " + text.dropFirst("Error: ".count) }
      if !text.isEmpty {
        FileHandle(forWritingTo: code == .success ? STDOUT_FILENO : STDERR_FILENO).text(text + "\n")
      }
      return code.rawValue
    }
  }

  private static func fail(_ message: String) -> Int32 {
    let rank = Job.size > 1 ? "rank \(Job.rank) of \(Job.size): " : ""
    Terminal.write("weir: \(rank)\(message)\n")
    return 1
  }
}

extension FileHandle {
  fileprivate convenience init(forWritingTo descriptor: Int32) { self.init(fileDescriptor: descriptor, closeOnDealloc: false) }
  fileprivate func text(_ text: String) { try? write(contentsOf: Data(text.utf8)) }
}

/// Ctrl-C and SIGTERM: the first one asks long work to commit what it has and to stop, the second one ends at once.
enum Interrupt {
  private static let requests = Atomic<Int>(0)

  /// Whether the user asked to stop.
  static var isRequested: Bool { requests.load(ordering: .relaxed) > 0 }

  /// Installs the handlers; a closed pipe becomes an error of the write, not a signal.
  static func install() {
    _ = isRequested
    signal(SIGPIPE, SIG_IGN)
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        if Interrupt.requests.add(1, ordering: .relaxed).oldValue > 0 { _exit(128 + number) }
      }
    }
    // A parent that starts us from a thread with blocked signals hands its mask on.
    var wanted = sigset_t()
    sigemptyset(&wanted)
    sigaddset(&wanted, SIGINT)
    sigaddset(&wanted, SIGTERM)
    pthread_sigmask(SIG_UNBLOCK, &wanted, nil)
  }
}
