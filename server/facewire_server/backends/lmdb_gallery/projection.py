"""What follows from a gallery's templates, and is stored with them: its people's means, and how much these people resemble one another."""

from facewire_server.backends.lmdb_gallery.block_editor import BlockEditor
from facewire_server.backends.lmdb_gallery.blocks import BlockLayout, row_owner
from facewire_server.backends.lmdb_gallery.means import MeanEditor
from facewire_server.backends.lmdb_gallery.pair_sample import is_sampled, number_span, sampled_pairs
from facewire_server.backends.lmdb_gallery.records_pb2 import Gallery, Template
from facewire_server.backends.lmdb_storage.tables import Table, Transaction
from facewire_server.thresholds import GalleryPairs

__all__ = ["Projection", "means_of_gallery", "pairs_of"]


def pairs_of(gallery: Gallery) -> GalleryPairs:
    """Returns how much the people of a gallery resemble one another, which its record states."""
    return GalleryPairs(
        gallery.pair_mean,
        gallery.pair_spread,
        gallery.paired_identity_count,
        gallery.mean_cohesion or 1.0,
    )


class Projection:
    """Follows the changes of a gallery's templates in one write transaction."""

    def __init__(
        self, templates: Table, vectors: BlockEditor, means: Table, layout: BlockLayout, count: int
    ) -> None:
        """Takes the templates' records and vectors, and the table, layout and number of the means."""
        self._templates = templates
        self._vectors = vectors
        self._means = BlockEditor(means, layout, count)
        self._editor = MeanEditor(templates, vectors, self._means)

    def template_added(self, identity_number: int) -> None:
        """Takes that an identity has a new template."""
        self._editor.template_added(identity_number)

    def template_removed(self, key: bytes, record: Template) -> None:
        """Takes that a template was removed, whose record this was."""
        self._editor.template_removed(key, record)

    def save(self, gallery: Gallery) -> None:
        """Writes the means, and sets in the gallery's record what follows from them; before `vectors` is flushed or after."""
        changed = self._editor.update()
        people = gallery.identity_count
        span = number_span(people, gallery.template_count, gallery.next_number)
        size = {"people": people, "numbers": span}
        if is_sampled(self._templates, changed, **size):
            pairs = sampled_pairs(self._templates, self._vectors, self._means, **size)
            gallery.pair_mean, gallery.pair_spread = pairs.mean, pairs.spread
            gallery.paired_identity_count = pairs.identity_count
            gallery.mean_cohesion = pairs.cohesion
        self._means.flush()
        gallery.mean_count = self._means.row_count


def means_of_gallery(transaction: Transaction, prefix: bytes, record: Gallery) -> None:
    """Makes the means of a gallery that has templates and none, and changes its record, which the caller writes.

    Args:
        transaction: a write transaction.
        prefix: of the gallery's keys.
        record: of the gallery.
    """
    layout = BlockLayout(record.dimension, record.rows_per_block)
    templates = transaction.table("templates", prefix)
    vectors = BlockEditor(transaction.table("blocks", prefix), layout, record.template_count)
    made = Projection(templates, vectors, transaction.table("means", prefix), layout, 0)
    for key in list(templates.keys()):
        made.template_added(row_owner(key).identity_number)
    made.save(record)
