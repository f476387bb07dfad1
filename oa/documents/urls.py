"""Addresses of the document library beyond the kit's."""

from __future__ import annotations

from django.urls import path

from oa.documents.views import access, files, folders, links, required

urlpatterns = [
    path("docs/", folders.home_view, name="docs"),
    path("docs/mine/", folders.mine_view, name="docs-mine"),
    path("docs/mine/upload/", folders.upload_view, name="docs-mine-upload"),
    path("docs/department/", folders.department_view, name="docs-department"),
    path("docs/recent/", folders.recent_view, name="docs-recent"),
    path("docs/favourites/", folders.favourites_view, name="docs-favourites"),
    path("docs/search/", folders.search_view, name="docs-search"),
    path("docs/bin/", folders.bin_view, name="docs-bin"),
    path("docs/bin/<str:what>/<int:key>/<str:action>/", folders.bin_action_view, name="docs-bin-action"),
    # The kit's address of a folder, so that every link to one leads here.
    path("docs/folders/<int:key>/", folders.folder_view, name="docs-folder"),
    path("docs/folders/<str:key>/upload/", folders.upload_view, name="docs-upload"),
    path("docs/folders/<str:key>/bin/", folders.bin_folder_view, name="docs-bin-folder"),
    path("docs/folders/<str:key>/access/", access.access_view, name="docs-access"),
    path("docs/folders/<str:key>/access/<str:action>/", access.access_action_view, name="docs-access-action"),
    path("docs/folders/<str:key>/folder/", access.new_folder_view, name="docs-new-folder"),
    path("docs/folders/<str:key>/move/", access.move_folder_view, name="docs-move-folder"),
    path("docs/files/<str:key>/check-in/", files.check_in_view, name="docs-check-in"),
    path("docs/files/<str:key>/favourite/", folders.favourite_view, name="docs-favourite"),
    path("docs/files/<str:key>/compare/", files.compare_view, name="docs-compare"),
    path("docs/files/<str:key>/restore/<int:number>/", files.restore_view, name="docs-restore"),
    path("docs/files/<str:key>/reading/", required.require_view, name="docs-reading"),
    path("docs/files/<str:key>/read/<int:number>/", required.read_view, name="docs-read"),
    path("docs/files/<str:key>/supersede/", files.supersede_view, name="docs-supersede"),
    path("docs/files/<str:key>/share/", links.share_view, name="docs-share"),
    path("docs/files/<str:key>/share/<int:link>/revoke/", links.revoke_view, name="docs-revoke"),
    path("docs/files/<str:key>/use/", links.use_view, name="docs-use"),
    path("docs/files/<str:key>/use/<int:use>/forget/", links.forget_use_view, name="docs-forget-use"),
    path("docs/versions/<uuid:key>/", files.preview_view, name="docs-preview"),
    path("docs/versions/<uuid:key>/file/", files.download_view, name="docs-download"),
    path("docs/versions/<uuid:key>/print/", files.print_view, name="docs-print"),
    path("docs/versions/<uuid:key>/pages/<int:page>/", files.page_view, name="docs-page"),
    path("docs/shared/<str:token>/", links.shared_view, name="docs-shared"),
    path("docs/shared/<str:token>/pages/<int:page>/", links.shared_page_view, name="docs-shared-page"),
    path("docs/shared/<str:token>/file/", links.shared_file_view, name="docs-shared-file"),
]
