import ArgumentParser
import CProcess
import Foundation
import Pipeline
import Primitives
import Storage
import Synchronization

/// The entry point, and the only place that maps errors to exit codes: 0 success (also when the reader closed the pipe), 1 failure, 2
/// finished, but more than `--max-bad` of the records were quarantined, 64 usage.
@main enum Main {
  static func main() {
    weir_exit_when_out_of_memory()
    // OpenBLAS starts its threads while it is loaded, before any call can prevent it, and raises SIGINT where the system refuses them.
    setenv("OPENBLAS_NUM_THREADS", "1", 1)
    Interrupt.install()
    do {
      var command = try Weir.parseAsRoot(RenamedOptions.resolve(arguments))
      try command.run()
    } catch {
      OpenMPI.abort { code(of: error) }
      exit(code(of: error))
    }
  }

  /// The arguments, in which names of files may be any bytes.
  private static var arguments: [String] {
    (1..<max(1, Int(CommandLine.argc))).compactMap { CommandLine.unsafeArgv[$0].map { FileName.string($0) } }
  }

  /// Reports an error on standard error and returns the exit code.
  static func code(of error: any Error) -> Int32 {
    switch error {
    case is BrokenPipe: return 0
    case let error as ExitCode: return error.rawValue
    case let error as WeirError: return fail(error.description)
    case let error as Stopped: return fail(error.description)
    default:
      let code = Weir.exitCode(for: error)
      var text = Weir.fullMessage(for: error)
      if code != .success {
        text = text.split(separator: " ", omittingEmptySubsequences: false).map { WeirError.shortened(String($0), 400) }.joined(
          separator: " ")
      }
      if code != .success, text.hasPrefix("Error: ") { text = "weir: " + text.dropFirst("Error: ".count) }
      if !text.isEmpty { FileHandle(forWritingTo: code == .success ? STDOUT_FILENO : STDERR_FILENO).text(text + "\n") }
      return code.rawValue
    }
  }

  private static func fail(_ message: String) -> Int32 {
    let rank = OpenMPI.size > 1 ? "rank \(OpenMPI.rank) of \(OpenMPI.size): " : ""
    Terminal.write("weir: \(rank)\(message)\n")
    return 1
  }
}

extension FileHandle {
  fileprivate convenience init(forWritingTo descriptor: Int32) { self.init(fileDescriptor: descriptor, closeOnDealloc: false) }
  fileprivate func text(_ text: String) { try? write(contentsOf: Data(text.utf8)) }
}

/// Handles Ctrl-C and SIGTERM: the first signal requests that long work saves its state and stops, the second one exits at once, as does the
/// first one where the command never asks whether it should stop.
enum Interrupt {
  private static let requests = Atomic<Int>(0)
  private static let isAsked = Atomic<Bool>(false)
  /// The end of a pipe that the handler writes to, so that reads that wait for input end.
  private static let pipe = Atomic<Int32>(-1)

  /// Whether a signal has requested a stop.
  static var isRequested: Bool {
    isAsked.store(true, ordering: .relaxed)
    return requests.load(ordering: .relaxed) > 0
  }

  /// Installs the handlers. SIGPIPE and SIGXFSZ are ignored, so that writing to a closed pipe, or beyond the limit of a file, is an error.
  static func install() {
    var ends: [Int32] = [-1, -1]
    if Foundation.pipe(&ends) == 0 {
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      pipe.store(ends[1], ordering: .relaxed)
      StopRequest.watch(ends[0])
    }
    for number in [SIGPIPE, SIGXFSZ] { signal(number, SIG_IGN) }
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        let isFirst = Interrupt.requests.add(1, ordering: .relaxed).oldValue == 0
        if !isFirst || !Interrupt.isAsked.load(ordering: .relaxed) { _exit(128 + number) }
        var byte: UInt8 = 1
        _ = write(Interrupt.pipe.load(ordering: .relaxed), &byte, 1)
      }
    }
    // The signal mask is inherited: a parent may have started this process from a thread with these signals blocked.
    var wanted = sigset_t()
    sigemptyset(&wanted)
    sigaddset(&wanted, SIGINT)
    sigaddset(&wanted, SIGTERM)
    pthread_sigmask(SIG_UNBLOCK, &wanted, nil)
  }
}
