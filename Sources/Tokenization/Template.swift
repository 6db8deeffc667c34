/// What a tokenizer.json's post_processor puts round a text: special tokens before and after it, such as Llama 3's beginning of text.
///
/// Hugging Face puts them there unless told otherwise (`add_special_tokens`), Weir where it is told so (`weir tokenize --add-special`): in a
/// dataset documents are ended by a token of their own.
package struct Template: Sendable, Equatable {
  /// Ids before a text.
  package var prefix: [UInt32]
  /// Ids after a text.
  package var suffix: [UInt32]

  /// Creates a template.
  package init(prefix: [UInt32] = [], suffix: [UInt32] = []) {
    self.prefix = prefix
    self.suffix = suffix
  }

  /// Whether nothing is added.
  package var isEmpty: Bool { prefix.isEmpty && suffix.isEmpty }

  /// The tokens of the text alone, where the template stands round it.
  package func stripped(_ ids: ArraySlice<UInt32>) -> ArraySlice<UInt32> {
    var ids = ids
    if ids.starts(with: prefix) { ids = ids.dropFirst(prefix.count) }
    if ids.count >= suffix.count, ids.suffix(suffix.count).elementsEqual(suffix) { ids = ids.dropLast(suffix.count) }
    return ids
  }
}
