/// The special tokens that a tokenizer.json's post_processor adds before and after a text, such as Llama 3's beginning of text.
///
/// Hugging Face tokenizers add them by default (`add_special_tokens`), and so do evaluation, generation and finetuning. `weir tokenize`
/// does so only with `--add-special`: in a dataset, documents are separated by the end-of-document token.
package struct Template: Sendable, Equatable {
  /// Ids before the text.
  package var prefix: [UInt32]
  /// Ids after the text.
  package var suffix: [UInt32]

  package init(prefix: [UInt32] = [], suffix: [UInt32] = []) {
    self.prefix = prefix
    self.suffix = suffix
  }

  package var isEmpty: Bool { prefix.isEmpty && suffix.isEmpty }

  /// The tokens without the template, if they have it.
  package func stripped(_ ids: ArraySlice<UInt32>) -> ArraySlice<UInt32> {
    var ids = ids
    if ids.starts(with: prefix) { ids = ids.dropFirst(prefix.count) }
    if ids.count >= suffix.count, ids.suffix(suffix.count).elementsEqual(suffix) { ids = ids.dropLast(suffix.count) }
    return ids
  }
}
