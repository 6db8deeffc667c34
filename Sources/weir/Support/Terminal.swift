import Foundation
import Primitives

/// Properties of the terminal, and output to standard error.
enum Terminal {
  static let isInteractive = isatty(STDERR_FILENO) == 1
  static let outputIsInteractive = isatty(STDOUT_FILENO) == 1
  static let inputIsInteractive = isatty(STDIN_FILENO) == 1

  /// The width of the terminal; 100 if it is unknown.
  static var columns: Int {
    var size = winsize()
    guard isInteractive, ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 100 }
    return Int(size.ws_col)
  }

  /// Writes lines to standard error, with control characters escaped: paths and members of documents may contain any. Failures, such as a
  /// closed standard error, are ignored.
  static func write(_ text: String) { writeRaw(Format.escaped(text, keepingLines: true)) }

  /// Erases the line of the cursor, and writes another.
  static func redraw(_ line: String = "") { writeRaw("\r\u{1B}[2K" + Format.escaped(line)) }

  private static func writeRaw(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }
}
